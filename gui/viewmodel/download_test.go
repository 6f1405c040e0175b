package viewmodel

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

func TestNamesOfFilesAreMadeHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"draft.pdf": "draft.pdf", "../../.bashrc": "bashrc", `..\..\x.exe`: "x.exe", "/etc/passwd": "passwd", "": "attachment", "..": "attachment", "/": "attachment",
		"gnp\u202etxt.exe": "gnptxt.exe", "a\x00b\n.txt": "ab .txt", "CON": "_CON", "nul.txt": "_nul.txt", "com1.a.b": "_com1.a.b", "end. . ": "end",
		`a<b>:"|?*.txt`: "a_b______.txt", " two  spaces ": "two spaces", "日本.txt": "日本.txt", "-rf": "-rf", "~": "~",
	} {
		if got := FileName(in, "attachment"); got != want {
			t.Errorf("FileName(%q) = %q, want %q", in, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("長", 200) + ".pdf", strings.Repeat("x", 500), "a." + strings.Repeat("y", 300)} {
		got := FileName(long, "attachment")
		if len(got) > maxName || !utf8.ValidString(got) || strings.HasSuffix(long, ".pdf") && !strings.HasSuffix(got, ".pdf") {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("../../x")
	f.Add("a\u202e/..\\.")
	f.Fuzz(func(t *testing.T, s string) {
		got := FileName(s, "attachment")
		if got == "" || len(got) > maxName+1 || strings.ContainsAny(got, "/\\\x00\n") || strings.HasPrefix(got, ".") || filepath.Base(got) != got {
			t.Errorf("FileName(%q) = %q", s, got)
		}
	})
}

func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWhatFailsLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := download(dir, "a.txt", func(w io.Writer) error {
		if _, err := w.Write([]byte("half")); err != nil {
			return err
		}
		return errors.New("the line broke")
	})
	if names := left(t, dir); err == nil || len(names) != 1 {
		t.Errorf("%v; left: %v", err, names)
	}
	path, err := download(dir, "a.txt", func(w io.Writer) error { _, err := w.Write([]byte("whole")); return err })
	if err != nil || filepath.Base(path) != "a (2).txt" {
		t.Fatalf("%s, %v", path, err)
	}
	mine, err := os.ReadFile(filepath.Join(dir, "a.txt"))
	if err != nil || string(mine) != "mine" {
		t.Errorf("written over: %q, %v", mine, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 != 0 || info.Size() != 5 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestASaveShowsHowFarItIsAndCanBeCancelled(t *testing.T) {
	dir := t.TempDir()
	play(t, agenttest.Scene, func(s *stage) {
		s.open(agentclient.Message{Attachments: []agentclient.Attachment{{Name: "../big.bin", Data: make([]byte, 1<<20)}}})
		release := s.agent.Hold("Attachment")
		s.SaveAttachment(0, dir)
		s.SaveAttachment(0, dir) // pressed twice
		synctest.Wait()
		if f := s.Reading().Files[0]; !f.Saving || f.Name != "../big.bin" {
			t.Errorf("file %+v", f)
		}
		s.Show(PageMoney) // goes on while another page is looked at
		s.Show(PageWaiting)
		s.CancelSave(0) // of no open mail: nothing happens
		release()
		synctest.Wait()
		if names := left(t, dir); len(names) != 1 || names[0] != "big.bin" {
			t.Fatalf("left: %v", names)
		}
		s.Move(-1)
		synctest.Wait()
		for s.Reading().ID == agenttest.SceneHeld {
			s.Move(-1)
			synctest.Wait()
		}
		s.has("saved", s.Reading().Files[0].Saved, "big.bin")
		release = s.agent.Hold("Attachment")
		s.SaveAttachment(0, dir)
		synctest.Wait()
		s.CancelSave(0)
		synctest.Wait()
		release()
		synctest.Wait()
		f := s.Reading().Files[0]
		if names := left(t, dir); len(names) != 1 || f.Saving || f.Fault != "Cancelled. Nothing of it was left there." {
			t.Errorf("left: %v, file %+v", names, f)
		}
	})
}

func TestWhyAFileWasNotWrittenIsSaidInTheWindowsWords(t *testing.T) {
	german := speech{Words: words.In(words.German)}
	for err, want := range map[error]string{
		&fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}:  "In diesen Ordner darf nichts geschrieben werden.",
		&fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}: "Der Datenträger ist voll.",
		errors.Join(errFolder, errors.New("x")):                     "Der Ordner lässt sich nicht benutzen.",
		agentclient.Fail(agentclient.CodeNoAgent):                   "Hier läuft kein Agent.",
	} {
		if got := german.fileFailure(err); !strings.HasPrefix(got, want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}
