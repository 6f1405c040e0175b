package powerloss

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// The disk itself: what is synced stays, what is not has its fate, and a tear
// touches nothing beside the write.
func TestTheDiskForgetsWhatIsNotSynced(t *testing.T) {
	old, fresh := bytes.Repeat([]byte{'o'}, 3*sector), bytes.Repeat([]byte{'n'}, sector+200)
	made := []event{
		{kind: created, file: 1, name: "a"}, {kind: wrote, file: 1, data: old}, {kind: synced, file: 1}, {kind: dirSync},
	}
	always := func(f fate) func(int) fate { return func(int) fate { return f } }
	after := func(more ...event) *disk {
		d := newDisk()
		for _, e := range append(append([]event{}, made...), more...) {
			d.do(e)
		}
		return d
	}
	write := event{kind: wrote, file: 1, off: 100, data: fresh}
	whole := append(append(bytes.Repeat([]byte{'o'}, 100), fresh...), old[100+len(fresh):]...)
	for name, c := range map[string]struct {
		disk *disk
		fate fate
		want []byte // nil: no such file
	}{
		"a write that was not synced, lost":      {after(write), lost, old},
		"a write that was not synced, there":     {after(write), survives, whole},
		"a write that was synced":                {after(write, event{kind: synced, file: 1}), lost, whole},
		"a cut end that was not synced, lost":    {after(event{kind: resized, file: 1, off: 7}), lost, old},
		"a cut end that was synced":              {after(event{kind: resized, file: 1, off: 7}, event{kind: synced, file: 1}), lost, old[:7]},
		"a name that went unsynced comes back":   {after(event{kind: deleted, file: 1, name: "a"}), lost, old},
		"a name that went":                       {after(event{kind: deleted, file: 1, name: "a"}, event{kind: dirSync}), lost, nil},
		"a name given anew unsynced is the old":  {after(event{kind: deleted, file: 1, name: "a"}, event{kind: created, file: 2, name: "a"}), lost, old},
		"a name given anew is the new file":      {after(event{kind: deleted, file: 1, name: "a"}, event{kind: created, file: 2, name: "a"}), survives, []byte{}},
		"a synced file whose name was not, gone": {after(event{kind: deleted, file: 1, name: "a"}, event{kind: dirSync}, event{kind: created, file: 2, name: "a"}, event{kind: wrote, file: 2, data: fresh}, event{kind: synced, file: 2}), lost, nil},
	} {
		if got, ok := c.disk.cut(always(c.fate), nil)["a"]; ok != (c.want != nil) || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %v, %d bytes, want %d", name, ok, len(got), len(c.want))
		}
	}
	rng, mixed := rand.New(rand.NewPCG(1, 1)), 0
	for range 200 {
		got := after(write).cut(always(torn), rng)["a"]
		if !bytes.Equal(got[:100], old[:100]) || !bytes.Equal(got[100+len(fresh):], old[100+len(fresh):]) {
			t.Fatal("a tear touched what was not written")
		}
		if written := got[100 : 100+len(fresh)]; !bytes.Equal(written, fresh) && bytes.ContainsRune(written, 'n') {
			mixed++
		}
	}
	if mixed < 50 {
		t.Errorf("%d of 200 tears left a part of the write", mixed)
	}
}
