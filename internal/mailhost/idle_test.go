package mailhost_test

import (
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"earnest/internal/mailhost"
)

func TestIdleTellsOfMailThatCameBeforeIt(t *testing.T) {
	host, err := mailhost.Start(mailhost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	if err := host.AddUser("anna", "pw", "anna@mail.example"); err != nil {
		t.Fatal(err)
	}
	exists := make(chan uint32, 8)
	client, err := imapclient.DialTLS(host.IMAPAddr, &imapclient.Options{TLSConfig: host.TLSConfig(),
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				exists <- *data.NumMessages
			}
		}}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Login("anna", "pw").Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := host.Deliver("anna@mail.example", []byte("Subject: early\r\n\r\nHello\r\n")); err != nil {
		t.Fatal(err)
	}
	idle, err := client.Idle()
	if err != nil {
		t.Fatal(err)
	}
	for want, more := range []bool{true, false} {
		select {
		case n := <-exists:
			if n != uint32(want)+1 {
				t.Errorf("%d mails, want %d", n, want+1)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("nothing was said of mail %d", want+1)
		}
		if more { // and one that comes in the middle
			time.Sleep(250 * time.Millisecond)
			if err := host.Deliver("anna@mail.example", []byte("Subject: late\r\n\r\nHello\r\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
}
