package mailtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// Postfix is a running server, before a Dovecot.
type Postfix struct {
	*place
	// SubmissionAddr upgrades, SubmissionsAddr speaks TLS from the first byte;
	// both want a login of the Dovecot.
	SubmissionAddr, SubmissionsAddr string
	// SMTPAddr takes mail for the users from anybody, without login.
	SMTPAddr string
}

const postfixMain = `
compatibility_level = 3.6
config_directory = {{.Dir}}
queue_directory = {{.Dir}}/queue
data_directory = {{.Dir}}/data
maillog_file = {{.Dir}}/mail.log
maillog_file_prefixes = {{.Dir}}
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.org
myorigin = example.org
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{ {{.Users}} }
virtual_transport = lmtp:inet:{{.LMTP}}
default_transport = error:5.1.2 nothing leaves this machine
relayhost =
message_size_limit = 67108864
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_tls_cert_file = {{.Dir}}/cert.pem
smtpd_tls_key_file = {{.Dir}}/key.pem
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:{{.Auth}}
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_peername_lookup = no
smtputf8_enable = yes
smtpd_error_sleep_time = 0
in_flow_delay = 0
`

const postfixMaster = `
{{.SMTP}} inet n - n - - smtpd
{{.Submission}} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
{{.Submissions}} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// StartPostfix starts a server that takes mail for the given logins of a
// Dovecot and hands it to it.
func StartPostfix(t T, d *Dovecot, logins ...string) *Postfix {
	t.Helper()
	postconf := find(t, "postconf", "postfix")
	if os.Geteuid() != 0 {
		t.Fatalf("postfix can only be started by root: run this test as root, as CI does (sudo make test)")
	}
	f := &Postfix{place: newPlace(t, "pf", d.authority)}
	f.makeQueue(t)
	var users []string
	for _, login := range logins {
		users = append(users, fmt.Sprintf("%s=%s", Address(login), login))
	}
	p := ports(t, 3)
	f.SMTPAddr, f.SubmissionAddr, f.SubmissionsAddr = loopback(p[0]), loopback(p[1]), loopback(p[2])
	data := map[string]any{
		"Dir": f.dir, "Users": strings.Join(users, ", "), "LMTP": d.LMTPAddr, "Auth": d.authAddr,
		"SMTP": f.SMTPAddr, "Submission": f.SubmissionAddr, "Submissions": f.SubmissionsAddr,
	}
	f.fill(t, "main.cf", postfixMain, data)
	f.fill(t, "master.cf", postfixMaster, data)
	// Started without its script, the server is our child and quick to start.
	daemons, err := exec.Command(postconf, "-d", "-h", "daemon_directory").Output()
	if err != nil {
		t.Fatalf("find postfix: %v", err)
	}
	f.run(t, filepath.Join(strings.TrimSpace(string(daemons)), "master"), "-c", f.dir, "-d")
	f.await(t, "postfix", f.path("mail.log"), f.SMTPAddr, f.SubmissionAddr, f.SubmissionsAddr)
	return f
}

// makeQueue makes the folders as Postfix's own script would, with its owners.
func (f *Postfix) makeQueue(t T) {
	t.Helper()
	uid, gid := idsOf(t, "postfix")
	group, err := user.LookupGroup("postdrop")
	if err != nil {
		t.Fatalf("the group postdrop is missing, which the package postfix makes: %v", err)
	}
	drop, err := strconv.Atoi(group.Gid)
	if err != nil {
		t.Fatalf("the group postdrop has no number: %v", err)
	}
	folder := func(name string, mode os.FileMode, uid, gid int) {
		path := f.path(name)
		// Mkdir's mode is cut by the umask; Chmod's is not.
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chown(path, uid, gid), os.Chmod(path, mode)); err != nil {
			t.Fatalf("start postfix: %v", err)
		}
	}
	folder("queue", 0o755, 0, 0)
	folder("queue/pid", 0o755, 0, 0)
	folder("data", 0o700, uid, 0)
	for _, name := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"} {
		folder("queue/"+name, 0o700, uid, gid)
	}
	folder("queue/maildrop", 0o730|os.ModeSticky, uid, drop)
	folder("queue/public", 0o710|os.ModeSetgid, uid, drop)
}
