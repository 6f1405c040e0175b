package viewmodel

import (
	"context"
	"io"
	"strconv"
	"time"
)

// sourceFile is, in place of an attachment's number, the whole mail.
const sourceFile = -1

// saveTimeout is for the slowest disk that is worth waiting for.
const saveTimeout = 10 * time.Minute

type saveKey struct {
	id string
	n  int
}

// saving is how far an attachment is on its way to the disk.
type saving struct {
	busy        bool
	done, total int64
	drawn       time.Time
	cancel      context.CancelFunc
	path        string
	fault       said
}

// File is an attachment as it is listed.
type File struct {
	N          int
	Name, Size string
	Saving     bool
	Done       float64 // 0 to 1
	Saved      string  // where it is, in words
	Fault      string
}

func (m *Model) files(id string) (all []File) {
	for i, a := range m.box.open.Attachments {
		if i == maxFiles {
			break
		}
		f := m.fileOf(saveKey{id, i})
		f.Name, f.Size = m.named(a.Name), m.say.size(a.Size)
		all = append(all, f)
	}
	return all
}

func (m *Model) named(s string) string {
	if s = line(s); s == "" {
		return m.say.T("file.unnamed")
	}
	return s
}

func (m *Model) fileOf(key saveKey) File {
	s := m.box.saves[key]
	f := File{N: key.n, Saving: s.busy, Fault: m.say.again(s.fault)}
	if s.total > 0 {
		f.Done = min(1, float64(s.done)/float64(s.total))
	}
	if s.path != "" {
		f.Saved = m.say.T("file.saved", "Path", s.path)
	}
	return f
}

// SaveAttachment writes the n-th attachment of the open mail into a folder,
// under a name that is harmless and not taken. Nothing is ever opened.
func (m *Model) SaveAttachment(n int, dir string) {
	m.mu.Lock()
	id, name := m.box.open.ID, ""
	ok := id != "" && n >= 0 && n < len(m.box.open.Attachments) && !m.box.saves[saveKey{id, n}].busy
	if ok {
		name = m.box.open.Attachments[n].Name
	}
	m.mu.Unlock()
	if !ok {
		return
	}
	m.save(saveKey{id, n}, dir, FileName(name, "attachment"), func(ctx context.Context, w io.Writer, progress func(done, total int64)) error {
		return m.agent.SaveAttachment(ctx, id, n, w, progress)
	})
}

// SaveSource writes the open mail, as it was inside the encryption, into a folder.
func (m *Model) SaveSource(dir string) {
	m.mu.Lock()
	id, raw, subject := m.box.open.ID, m.box.aside.source, m.box.open.Subject
	m.mu.Unlock()
	if id == "" || raw == nil {
		return
	}
	m.save(saveKey{id, sourceFile}, dir, FileName(line(subject)+".eml", "mail.eml"), func(_ context.Context, w io.Writer, _ func(int64, int64)) error {
		_, err := w.Write(raw)
		return err
	})
}

// CancelSave stops a save; what was written is taken away.
func (m *Model) CancelSave(n int) {
	m.mu.Lock()
	s := m.box.saves[saveKey{m.box.open.ID, n}]
	m.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
}

func (m *Model) save(key saveKey, dir, name string, fetch func(context.Context, io.Writer, func(done, total int64)) error) {
	m.setSaving(key, func(s *saving) { *s = saving{busy: true} })
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, saveTimeout)
		defer cancel()
		m.setSaving(key, func(s *saving) { s.cancel = cancel })
		path, err := download(dir, name, func(w io.Writer) error {
			err := fetch(ctx, stopping{ctx, w}, func(done, total int64) { m.saveProgress(key, done, total) })
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		})
		m.setSaving(key, func(s *saving) {
			*s = saving{path: line(path)}
			switch {
			case ctx.Err() == context.Canceled:
				s.path, s.fault = "", says("file.cancelled")
			case err != nil:
				s.path, s.fault = "", says("file.failed", "Why", worded(func(s speech) string { return s.fileFailure(err) }))
			}
		})
	})
}

// saveProgress redraws at most ten times a second, however small the steps.
func (m *Model) saveProgress(key saveKey, done, total int64) {
	m.mu.Lock()
	s := m.box.saves[key]
	s.done, s.total = done, total
	draw := m.now().Sub(s.drawn) > 100*time.Millisecond
	if draw {
		s.drawn = m.now()
	}
	m.keepSaving(key, s)
	m.mu.Unlock()
	if draw {
		m.changed()
	}
}

func (m *Model) setSaving(key saveKey, change func(*saving)) {
	m.update(func() {
		s := m.box.saves[key]
		change(&s)
		m.keepSaving(key, s)
	})
}

func (m *Model) keepSaving(key saveKey, s saving) {
	if m.box.saves == nil {
		m.box.saves = map[saveKey]saving{}
	}
	m.box.saves[key] = s
}

// stopping ends a write when the save was cancelled.
type stopping struct {
	ctx context.Context
	w   io.Writer
}

func (s stopping) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}

// numbered is a name with a number before its end: draft (2).pdf.
func numbered(base, ext string, n int) string {
	if n < 2 {
		return base + ext
	}
	return base + " (" + strconv.Itoa(n) + ")" + ext
}
