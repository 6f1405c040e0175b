package pages

import (
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
)

// saveAs asks where to save a file of that name. make is told to write it, apart
// from the drawing goroutine; it says what became of that.
func (s *Shell) saveAs(name string, make func(write func(data []byte) error)) {
	d := dialog.NewFileSave(func(w fyne.URIWriteCloser, err error) {
		switch {
		case err != nil:
			make(func([]byte) error { return err })
		case w != nil:
			make(func(data []byte) error {
				_, err := w.Write(data)
				return errors.Join(err, w.Close())
			})
		}
	}, s.host.Window)
	d.SetFileName(name)
	d.Show()
}
