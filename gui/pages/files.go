package pages

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"

	"earnest/agentclient"
)

// maxAttachment is what a draft takes as one file.
const maxAttachment = agentclient.MaxMail

// saveFile asks where to save an attachment. The name comes from a stranger, so
// only its last part is offered.
func (s *Shell) saveFile(n int, name string) {
	d := dialog.NewFileSave(func(w fyne.URIWriteCloser, err error) {
		if err != nil || w == nil {
			return
		}
		s.model.SaveAttachment(n, func(_ string, data []byte) error {
			_, err := w.Write(data)
			if closeErr := w.Close(); err == nil {
				err = closeErr
			}
			if err != nil {
				return fmt.Errorf("the attachment was not saved: %w", err)
			}
			return nil
		})
	}, s.host.Window)
	d.SetFileName(safeName(name))
	d.Show()
}

func safeName(name string) string {
	name = filepath.Base(strings.ReplaceAll(name, "\\", "/"))
	name = strings.TrimLeft(name, ".")
	if name == "" || name == "/" {
		return "attachment"
	}
	return name
}

// openFile lets the person choose a file and hands over its content. It is read
// apart from the drawing goroutine.
func (s *Shell) openFile(done func(name, kind string, data []byte), failed func(error)) {
	dialog.ShowFileOpen(func(r fyne.URIReadCloser, err error) {
		if err != nil || r == nil {
			return
		}
		go func() {
			defer r.Close()
			data, err := io.ReadAll(io.LimitReader(r, maxAttachment+1))
			switch {
			case err != nil:
				failed(err)
			case len(data) > maxAttachment:
				failed(fmt.Errorf("it is larger than %d MB, the most that a mail can have; nothing was changed", maxAttachment>>20))
			default:
				done(r.URI().Name(), r.URI().MimeType(), data)
			}
		}()
	}, s.host.Window)
}
