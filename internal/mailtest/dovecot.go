package mailtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"earnest/internal/mailhost"
)

// The mailboxes of a Dovecot user beside INBOX. The archive has a name that
// only SPECIAL-USE explains.
const (
	Junk    = "Junk"
	Archive = "Kept"
)

// Dovecot is a running server.
type Dovecot struct {
	*place
	// IMAPAddr speaks TLS from the first byte, IMAPStartTLSAddr upgrades.
	IMAPAddr, IMAPStartTLSAddr string
	// LMTPAddr takes mail in the clear, without login.
	LMTPAddr string
	// authAddr answers Postfix about logins.
	authAddr string
	owner    identity
}

const dovecotConfig = `
base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/state
log_path = {{.Dir}}/dovecot.log
instance_name = {{.Name}}
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {{.User}}
default_internal_group = {{.Group}}
default_login_user = {{.Login}}
first_valid_uid = 1
first_valid_gid = 1
auth_username_format = %Ln
auth_failure_delay = 0
auth_mechanisms = plain{{if .OAuth}} {{.Mechanisms}}{{end}}
ssl = yes
ssl_cert = <{{.Dir}}/cert.pem
ssl_key = <{{.Dir}}/key.pem
ssl_dh =
mail_location = maildir:~/Maildir
mail_max_userip_connections = 200
mail_fsync = never
{{if .OAuth}}
passdb {
  driver = oauth2
  mechanisms = {{.Mechanisms}}
  args = {{.Dir}}/oauth2.conf
}
{{end}}
passdb {
  driver = passwd-file
  args = {{.Dir}}/users
{{if .OAuth}}  mechanisms = plain
{{end}}}
userdb {
  driver = passwd-file
  args = {{.Dir}}/users
  default_fields = uid={{.UID}} gid={{.GID}} home={{.Dir}}/home/%n
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Junk {
    auto = create
    special_use = \Junk
  }
  mailbox Kept {
    auto = create
    special_use = \Archive
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service auth {
  inet_listener {
    port = {{.Auth}}
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = {{.IMAP}}
  }
  inet_listener imaps {
    port = {{.IMAPS}}
  }
}
service lmtp {
  inet_listener lmtp {
    port = {{.LMTP}}
  }
}
`

// StartDovecot starts a server with a mailbox for each login. It runs as
// whoever runs the test.
func StartDovecot(t T, logins ...string) *Dovecot {
	t.Helper()
	return startDovecot(t, "", "", logins)
}

// StartDovecotOAuth starts one that takes the tokens of an issuer, too, by these
// mechanisms.
func StartDovecotOAuth(t T, issuer *Issuer, mechanisms string, logins ...string) *Dovecot {
	t.Helper()
	return startDovecot(t, issuer.IntrospectionURL, mechanisms, logins)
}

func startDovecot(t T, introspection, mechanisms string, logins []string) *Dovecot {
	t.Helper()
	program := find(t, "dovecot", "dovecot-imapd")
	if _, err := os.Stat("/usr/lib/dovecot/lmtp"); err != nil {
		t.Fatalf("dovecot's lmtp is missing (package dovecot-lmtpd): run `make test`, which installs it with scripts/install-deps")
	}
	authority, err := mailhost.NewAuthority(time.Now())
	if err != nil {
		t.Fatalf("start dovecot: %v", err)
	}
	d := &Dovecot{place: newPlace(t, "dv", authority)}
	who := runAs(t)
	d.owner = who
	var users bytes.Buffer
	for _, login := range logins {
		home := d.path("home", login)
		if err := errors.Join(os.MkdirAll(home, 0o755), who.own(home)); err != nil {
			t.Fatalf("start dovecot: %v", err)
		}
		fmt.Fprintf(&users, "%s:{PLAIN}%s::::::\n", login, Password(login))
	}
	d.write(t, "users", users.String())
	p := ports(t, 4)
	d.IMAPStartTLSAddr, d.IMAPAddr, d.LMTPAddr, d.authAddr = loopback(p[0]), loopback(p[1]), loopback(p[2]), loopback(p[3])
	if introspection != "" {
		d.write(t, "oauth2.conf", "introspection_url = "+introspection+"\nintrospection_mode = auth\n"+
			"username_attribute = username\nusername_format = %Ln\nactive_attribute = active\nactive_value = true\n")
	}
	d.fill(t, "dovecot.conf", dovecotConfig, map[string]any{
		"Dir": d.dir, "Name": filepath.Base(d.dir), "User": who.internal, "Group": who.group, "Login": who.login,
		"UID": who.uid, "GID": who.gid,
		"OAuth": introspection != "", "Mechanisms": mechanisms,
		"IMAP": p[0], "IMAPS": p[1], "LMTP": p[2], "Auth": p[3],
	})
	d.start(t, program)
	return d
}

func (d *Dovecot) start(t T, program string) {
	t.Helper()
	d.run(t, program, "-F", "-c", d.path("dovecot.conf"))
	d.await(t, "dovecot", d.path("dovecot.log"), d.IMAPAddr, d.IMAPStartTLSAddr, d.LMTPAddr, d.authAddr)
}

// Maildir is where INBOX of a login lies on disk.
func (d *Dovecot) Maildir(login string) string { return d.path("home", login, "Maildir") }

// Fill writes n mails into INBOX of a login on disk, behind the server's back;
// it finds them when the mailbox is opened.
func (d *Dovecot) Fill(login string, n int, mail func(i int) []byte) error {
	dir := filepath.Join(d.Maildir(login), "cur")
	for _, sub := range []string{"", "cur", "new", "tmp"} {
		made := filepath.Join(d.Maildir(login), sub)
		if err := errors.Join(os.MkdirAll(made, 0o700), d.owner.own(made)); err != nil {
			return fmt.Errorf("fill mailbox: %w", err)
		}
	}
	for i := range n {
		raw := mail(i)
		name := fmt.Sprintf("%d.M%d.fill,S=%d:2,", 1_700_000_000+i, i, len(raw))
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, raw, 0o600), d.owner.own(path)); err != nil {
			return fmt.Errorf("fill mailbox: %w", err)
		}
	}
	// A folder that has just changed is read again and again; this one is to
	// look as if it had been so for long.
	old := time.Now().Add(-time.Hour)
	for _, sub := range []string{"cur", "new"} {
		if err := os.Chtimes(filepath.Join(d.Maildir(login), sub), old, old); err != nil {
			return fmt.Errorf("fill mailbox: %w", err)
		}
	}
	return nil
}

// Put appends a mail to a mailbox over IMAP, as another client or a filter
// does.
func (d *Dovecot) Put(login, mailbox string, raw []byte) error {
	c, err := imapclient.DialTLS(d.IMAPAddr, &imapclient.Options{TLSConfig: d.TLSConfig()})
	if err != nil {
		return fmt.Errorf("put mail: %w", err)
	}
	defer c.Close()
	if err := c.Login(login, Password(login)).Wait(); err != nil {
		return fmt.Errorf("put mail: %w", err)
	}
	command := c.Append(mailbox, int64(len(raw)), nil)
	_, err = command.Write(raw)
	if err := errors.Join(err, command.Close()); err != nil {
		return fmt.Errorf("put mail: %w", err)
	}
	if _, err := command.Wait(); err != nil {
		return fmt.Errorf("put mail: %w", err)
	}
	return nil
}

// Deliver hands a mail over by LMTP, as a mail server does.
func (d *Dovecot) Deliver(login string, raw []byte) error {
	conn, err := net.DialTimeout("tcp", d.LMTPAddr, 5*time.Second)
	if err != nil {
		return fmt.Errorf("deliver mail: %w", err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.SendMail("stranger@"+domain, []string{Address(login)}, bytes.NewReader(raw)); err != nil {
		return fmt.Errorf("deliver mail: %w", err)
	}
	return c.Quit()
}

// Renumber makes Dovecot number the INBOX anew, as a restore does: it forgets
// its list of UIDs.
func (d *Dovecot) Renumber(login string) error {
	list := filepath.Join(d.Maildir(login), "dovecot-uidlist")
	raw, err := os.ReadFile(list)
	if err != nil {
		return fmt.Errorf("renumber mailbox: %w", err)
	}
	if err := os.Remove(list); err != nil {
		return fmt.Errorf("renumber mailbox: %w", err)
	}
	indexes, err := filepath.Glob(filepath.Join(d.Maildir(login), "dovecot.index*"))
	if err != nil {
		return fmt.Errorf("renumber mailbox: %w", err)
	}
	for _, index := range indexes {
		if err := os.Remove(index); err != nil {
			return fmt.Errorf("renumber mailbox: %w", err)
		}
	}
	// The new UIDVALIDITY is the time in seconds: a test is faster than that.
	for time.Now().Unix() <= uidValidity(raw) {
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// uidValidity reads "3 V1700000000 N5 ...".
func uidValidity(list []byte) int64 {
	var version, validity int64
	if _, err := fmt.Sscanf(string(list), "%d V%d", &version, &validity); err != nil {
		return 0
	}
	return validity
}
