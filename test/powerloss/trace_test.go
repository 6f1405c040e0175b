package powerloss

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	sqlite3 "modernc.org/sqlite/lib"
)

// kind is what happened.
type kind uint8

const (
	created  kind = iota // a name came to be, for a new file
	deleted              // a name went
	wrote                // bytes were written into a file
	resized              // a file was cut, or grew with zeros
	synced               // a file's bytes are on the disk
	dirSync              // names are on the disk
	asked                // a batch of operations began
	answered             // a batch of operations was acknowledged
	opened               // the store was opened for the first time
)

// event is one thing that happened, in the order in which it did.
type event struct {
	kind kind
	file int    // which file, by number: a name may be used again
	name string // of created and deleted
	off  int64  // of wrote; the size of resized; the number of a batch
	data []byte // of wrote; of answered now and then the shared memory, as it was
}

// recorder writes down what happens to the files of a folder.
type recorder struct {
	dir string

	mu        sync.Mutex
	trace     []event
	names     map[string]int
	files     map[uintptr]int // by SQLite's handle
	last      int
	dirSynced bool // by the call that runs
	fault     error
}

func newRecorder(dir string) *recorder {
	return &recorder{dir: dir, names: map[string]int{}, files: map[uintptr]int{}}
}

func (r *recorder) note(e event) { r.trace = append(r.trace, e) }

// mark notes what the escrow did, between what the files did.
func (r *recorder) mark(k kind, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := event{kind: k, off: int64(n)}
	if k == answered && n%16 == 0 {
		e.data, r.fault = os.ReadFile(filepath.Join(r.dir, booksFile+"-shm"))
	}
	r.note(e)
}

func (r *recorder) opened(handle uintptr, name string, isNew bool) {
	if isNew {
		r.last++
		r.names[name] = r.last
		r.note(event{kind: created, file: r.last, name: name})
	}
	if r.names[name] == 0 {
		r.fault = fmt.Errorf("the file %s came from nowhere", name)
	}
	r.files[handle] = r.names[name]
}

func (r *recorder) wrote(rc int32, handle uintptr, off int64, data []byte) int32 {
	r.must(rc, "write")
	r.note(event{kind: wrote, file: r.files[handle], off: off, data: bytes.Clone(data)})
	return rc
}

func (r *recorder) resized(rc int32, handle uintptr, size int64) int32 {
	r.must(rc, "truncate")
	r.note(event{kind: resized, file: r.files[handle], off: size})
	return rc
}

func (r *recorder) synced(rc int32, handle uintptr) int32 {
	r.must(rc, "sync")
	r.note(event{kind: synced, file: r.files[handle]})
	return r.withDir(rc)
}

func (r *recorder) deleted(rc int32, name string) int32 {
	if rc == sqlite3.SQLITE_OK && r.names[name] != 0 {
		r.note(event{kind: deleted, file: r.names[name], name: name})
		delete(r.names, name)
	}
	return r.withDir(rc)
}

// withDir notes that the call has synced the folder, too, at its end.
func (r *recorder) withDir(rc int32) int32 {
	if r.dirSynced {
		r.dirSynced = false
		r.note(event{kind: dirSync})
	}
	return rc
}

// must: the disk of this test never fails before the cut.
func (r *recorder) must(rc int32, what string) {
	if rc != sqlite3.SQLITE_OK {
		r.fault = fmt.Errorf("the disk refused a %s: %d", what, rc)
	}
}

// whole proves that nothing was written past the recorder: what it has seen,
// all of it done, makes the files that are there.
func (r *recorder) whole() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault != nil {
		return r.fault
	}
	d := newDisk()
	for _, e := range r.trace {
		d.do(e)
	}
	image := d.cut(func(int) fate { return survives }, nil)
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".db-shm" { // survives no cut
			continue
		}
		have, err := os.ReadFile(filepath.Join(r.dir, entry.Name()))
		if err != nil {
			return err
		}
		if want, ok := image[entry.Name()]; !ok || !bytes.Equal(have, want) {
			return fmt.Errorf("%s has %d bytes that are not the %d recorded", entry.Name(), len(have), len(want))
		}
		delete(image, entry.Name())
	}
	if len(image) > 0 {
		return fmt.Errorf("%d files were recorded and are not there", len(image))
	}
	return nil
}
