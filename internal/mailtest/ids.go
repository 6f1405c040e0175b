package mailtest

import (
	"os"
	"os/user"
	"strconv"
)

// idsOf are the numbers of a system user.
func idsOf(t T, name string) (uid, gid int) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("the user %s is missing, which its package makes: %v", name, err)
	}
	uid, err = strconv.Atoi(u.Uid)
	if err == nil {
		gid, err = strconv.Atoi(u.Gid)
	}
	if err != nil {
		t.Fatalf("the user %s has no numbers: %v", name, err)
	}
	return uid, gid
}

// identity is whom Dovecot's processes run as, and who owns the mail.
type identity struct {
	internal, login, group string
	uid, gid               int
}

// runAs is the user of the test, for all of it. Root has the users of the
// package instead, since Dovecot refuses to touch mail as root.
func runAs(t T) identity {
	t.Helper()
	if os.Geteuid() == 0 {
		uid, gid := idsOf(t, "mail")
		return identity{internal: "dovecot", login: "dovenull", group: "dovecot", uid: uid, gid: gid}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatalf("start dovecot: %v", err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatalf("start dovecot: %v", err)
	}
	uid, gid := idsOf(t, me.Username)
	return identity{internal: me.Username, login: me.Username, group: group.Name, uid: uid, gid: gid}
}

// own makes a folder or file the mail owner's.
func (i identity) own(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, i.uid, i.gid)
}
