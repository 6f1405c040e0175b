package viewmodel

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"earnest/agentclient"
)

// Attach adds a file to the draft. One of a name that is there already gets a
// number, so that the recipient can tell them apart.
func (m *Model) Attach(name, kind string, data []byte) {
	m.edit(func(d *draft) {
		total := int64(len(d.body)) + int64(len(data))
		for _, a := range d.files {
			total += a.Size
		}
		if total > agentclient.MaxMail {
			d.errFiles = says("write.files.too-much", "Name", m.fileName(name), "Size", sized(int64(len(data))), "Most", sized(agentclient.MaxMail))
			return
		}
		d.errFiles = nil
		d.files = append(slices.Clone(d.files), agentclient.Attachment{Name: d.freeName(name), Type: kind, Size: int64(len(data)), Data: data})
		d.clear()
	})
}

// freeName is a name that no other file of the draft has.
func (d *draft) freeName(name string) string {
	taken := func(n string) bool {
		return slices.ContainsFunc(d.files, func(a agentclient.Attachment) bool { return strings.EqualFold(a.Name, n) })
	}
	ext := path.Ext(name)
	base := strings.TrimSuffix(name, ext)
	for n, try := 2, name; ; n++ {
		if !taken(try) {
			return try
		}
		try = fmt.Sprintf("%s (%d)%s", base, n, ext)
	}
}

// AttachFailed says beside the list why a file could not be attached.
func (m *Model) AttachFailed(name string, err error) {
	m.update(func() {
		m.draft.errFiles = says("write.files.unreadable", "Name", m.fileName(name), "Why", fails(err))
	})
}

// AttachTooLarge says that a file alone is more than a mail can have.
func (m *Model) AttachTooLarge(name string) {
	m.update(func() {
		m.draft.errFiles = says("write.files.too-large", "Name", m.fileName(name), "Most", sized(agentclient.MaxMail))
	})
}

// Detach removes the n-th file.
func (m *Model) Detach(n int) {
	m.edit(func(d *draft) {
		if n >= 0 && n < len(d.files) {
			d.files = slices.Delete(slices.Clone(d.files), n, n+1)
		}
		d.errFiles = nil
		d.clear()
	})
}

func (m *Model) filesOf(d *draft) (files []File, note string) {
	var total int64
	for i, a := range d.files {
		total += a.Size
		files = append(files, File{N: i, Name: m.fileName(a.Name), Size: m.say.size(a.Size)})
	}
	if len(files) > 0 {
		note = m.say.T("write.files.total", "Size", m.say.size(total+int64(len(d.body))), "Most", m.say.size(agentclient.MaxMail))
	}
	return files, note
}

func (m *Model) fileName(s string) string {
	if s = line(s); s == "" {
		return m.say.T("write.files.unnamed")
	}
	return s
}

// AttachFolder says that a folder was let go over the window.
func (m *Model) AttachFolder(name string) {
	m.update(func() { m.draft.errFiles = says("write.files.folder", "Name", m.fileName(name)) })
}
