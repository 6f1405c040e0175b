package agent_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"earnest/agentclient"
	"earnest/escrow"
)

// TestNothingRestsInTheClear looks for a mail's words in the files of both
// agents: its text, its subject and who writes to whom, while it is held, waits
// and is decided, and while one waits in the outbox.
func TestNothingRestsInTheClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	const subject, body = "Zugvogelatlas", "Nebelkraehenwinter"
	sent, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: subject, Body: body})
	must(t, err)
	search := func(when string) {
		t.Helper()
		for _, p := range []*person{recipient, sender} {
			for _, word := range []string{subject, body, recipient.address, sender.address} {
				for _, file := range holding(t, p.home, word) {
					t.Errorf("%s %q is readable in %s of %s", when, word, file, p.address)
				}
			}
		}
	}
	mail := w.waits(recipient, sent[0].Bond, "waiting")
	search("while it waits")
	message, err := recipient.Message(t.Context(), mail.ID)
	must(t, err)
	if message.Subject != subject || message.Text != body {
		t.Fatalf("it reads %q %q: the search would find nothing", message.Subject, message.Text)
	}
	_, err = recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, mail.Bond, "accepted", "refunded")
	search("when it is decided")
}

// holding names the files below dir that have the word, raw or in base64.
func holding(t *testing.T, dir, word string) (files []string) {
	t.Helper()
	forms := [][]byte{[]byte(word)}
	for shift := range 3 {
		// Without the ends, which depend on what stands beside the word.
		text := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte{'x'}, shift), word...))
		forms = append(forms, []byte(text[4:len(text)-4]))
	}
	looked := 0
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		looked += len(data)
		for _, form := range forms {
			if bytes.Contains(data, form) {
				files = append(files, filepath.Base(path))
				break
			}
		}
		return err
	}))
	if looked == 0 {
		t.Fatal("there is nothing to search in")
	}
	return files
}
