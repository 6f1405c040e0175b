package powerloss

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// C's functions, as SQLite calls them.
type (
	openFunc    = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	deleteFunc  = func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	randomFunc  = func(tls *libc.TLS, vfs uintptr, n int32, out uintptr) int32
	clockFunc   = func(tls *libc.TLS, vfs, out uintptr) int32
	callFunc    = func(tls *libc.TLS, vfs, name, call uintptr) int32
	dirFunc     = func(tls *libc.TLS, path, fd uintptr) int32
	findFunc    = func(tls *libc.TLS, vfs, name uintptr) uintptr
	writeFunc   = func(tls *libc.TLS, file, data uintptr, n int32, off int64) int32
	resizeFunc  = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFunc    = func(tls *libc.TLS, file uintptr, flags int32) int32
	closeFunc   = func(tls *libc.TLS, file uintptr) int32
	controlFunc = func(tls *libc.TLS, file uintptr, op int32, arg uintptr) int32
	ioMethods   = sqlite3.Tsqlite3_io_methods
	vfsMethods  = sqlite3.Tsqlite3_vfs
	sqlite3File = sqlite3.Tsqlite3_file
)

// at is the memory of C at the address.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function is the Go function behind a pointer of C.
func function[F any](pointer uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ uintptr }{pointer}))
}

// shim is a file layer of SQLite: its own for Unix, with some functions replaced.
// C's memory knows addresses alone, so all of it is kept here.
type shim struct {
	tls     *libc.TLS
	base    *vfsMethods // SQLite's own
	baseAt  uintptr
	own     uintptr
	methods map[uintptr]uintptr // those of a file, by those of SQLite's own
	dir     uintptr             // SQLite's own openDirectory
	rec     *recorder

	keep []any // functions that only C refers to
}

// pointer makes a Go function one of C.
func pointer[F any](s *shim, f F) uintptr {
	kept := &f
	s.keep = append(s.keep, kept)
	return *(*uintptr)(unsafe.Pointer(kept))
}

// text is a string of C that stays.
func (s *shim) text(t testing.TB, text string) uintptr {
	t.Helper()
	p, err := libc.CString(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// record puts the recorder below all databases that are opened until stop is
// called. Randomness in files comes of the seed.
func record(t testing.TB, rec *recorder, seed uint64) (stop func()) {
	t.Helper()
	s := &shim{tls: libc.NewTLS(), methods: map[uintptr]uintptr{}, rec: rec}
	if rc := sqlite3.Xsqlite3_initialize(s.tls); rc != sqlite3.SQLITE_OK {
		t.Fatalf("SQLite does not start: %d", rc)
	}
	s.baseAt = sqlite3.Xsqlite3_vfs_find(s.tls, s.text(t, "unix"))
	if s.baseAt == 0 {
		t.Fatal("SQLite has no file layer for Unix")
	}
	s.base = at[vfsMethods](s.baseAt)
	s.own = libc.Xcalloc(s.tls, 1, sqlite3.Tsize_t(unsafe.Sizeof(vfsMethods{})))
	own := at[vfsMethods](s.own)
	*own = *s.base
	own.FpNext, own.FzName = 0, s.text(t, "powerloss")
	own.FxOpen, own.FxDelete = pointer[openFunc](s, s.open), pointer[deleteFunc](s, s.delete)
	own.FxRandomness = pointer[randomFunc](s, func(_ *libc.TLS, _ uintptr, n int32, out uintptr) int32 {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, seed))
		bytes := unsafe.Slice(at[byte](out), n)
		for i := range bytes {
			bytes[i] = sum[i%len(sum)]
		}
		return n
	})
	// SQLite's own clock stands still: the schema's steps are noted with its time.
	own.FxCurrentTimeInt64 = pointer[clockFunc](s, func(_ *libc.TLS, _, out uintptr) int32 {
		*at[int64](out) = 212_600_000_000_000 // milliseconds of the Julian calendar
		return sqlite3.SQLITE_OK
	})
	call := s.text(t, "openDirectory")
	s.dir = function[findFunc](s.base.FxGetSystemCall)(s.tls, s.baseAt, call)
	setCall := function[callFunc](s.base.FxSetSystemCall)
	if rc := setCall(s.tls, s.baseAt, call, pointer[dirFunc](s, s.openDir)); rc != sqlite3.SQLITE_OK {
		t.Fatalf("SQLite's openDirectory cannot be replaced: %d", rc)
	}
	if rc := sqlite3.Xsqlite3_vfs_register(s.tls, s.own, 1); rc != sqlite3.SQLITE_OK {
		t.Fatalf("SQLite does not take the file layer: %d", rc)
	}
	sqlite3.Xsqlite3_randomness(s.tls, 0, 0) // begins anew, by our seed
	return func() {
		setCall(s.tls, s.baseAt, call, 0)
		sqlite3.Xsqlite3_vfs_unregister(s.tls, s.own)
		sqlite3.Xsqlite3_vfs_register(s.tls, s.baseAt, 1)
		sqlite3.Xsqlite3_randomness(s.tls, 0, 0)
		s.tls.Close()
	}
}

func (s *shim) open(tls *libc.TLS, _, name, file uintptr, flags int32, outFlags uintptr) int32 {
	base := function[openFunc](s.base.FxOpen)
	path := ""
	if name != 0 {
		path = libc.GoString(name)
	}
	// What has no name or goes when it is closed survives no cut.
	if path == "" || filepath.Dir(path) != s.rec.dir || flags&sqlite3.SQLITE_OPEN_DELETEONCLOSE != 0 {
		return base(tls, s.baseAt, name, file, flags, outFlags)
	}
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	_, before := os.Lstat(path)
	rc := base(tls, s.baseAt, name, file, flags, outFlags)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	f := at[sqlite3File](file)
	if s.methods[f.FpMethods] == 0 {
		s.methods[f.FpMethods] = s.wrap(f.FpMethods)
	}
	f.FpMethods = s.methods[f.FpMethods]
	s.rec.opened(file, filepath.Base(path), before != nil)
	return rc
}

// wrap is a copy of a file's functions that records.
func (s *shim) wrap(baseAt uintptr) uintptr {
	base := *at[ioMethods](baseAt)
	copied := libc.Xcalloc(s.tls, 1, sqlite3.Tsize_t(unsafe.Sizeof(base)))
	own := at[ioMethods](copied)
	*own = base
	rec := s.rec
	own.FxWrite = pointer[writeFunc](s, func(tls *libc.TLS, file, data uintptr, n int32, off int64) int32 {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rc := function[writeFunc](base.FxWrite)(tls, file, data, n, off)
		return rec.wrote(rc, file, off, unsafe.Slice(at[byte](data), n))
	})
	own.FxTruncate = pointer[resizeFunc](s, func(tls *libc.TLS, file uintptr, size int64) int32 {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return rec.resized(function[resizeFunc](base.FxTruncate)(tls, file, size), file, size)
	})
	own.FxSync = pointer[syncFunc](s, func(tls *libc.TLS, file uintptr, flags int32) int32 {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return rec.synced(function[syncFunc](base.FxSync)(tls, file, flags), file)
	})
	own.FxClose = pointer[closeFunc](s, func(tls *libc.TLS, file uintptr) int32 {
		rec.mu.Lock()
		delete(rec.files, file)
		rec.mu.Unlock()
		return function[closeFunc](base.FxClose)(tls, file)
	})
	// A life here is too short for a checkpoint as seldom as the store has them: what
	// it says of that is not heard, and SQLite's own measure stays.
	own.FxFileControl = pointer[controlFunc](s, func(tls *libc.TLS, file uintptr, op int32, arg uintptr) int32 {
		if op == sqlite3.SQLITE_FCNTL_PRAGMA && libc.GoString(at[[2]uintptr](arg)[1]) == "wal_autocheckpoint" {
			return sqlite3.SQLITE_OK
		}
		return function[controlFunc](base.FxFileControl)(tls, file, op, arg)
	})
	return copied
}

func (s *shim) delete(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	base := function[deleteFunc](s.base.FxDelete)
	path := libc.GoString(name)
	if filepath.Dir(path) != s.rec.dir {
		return base(tls, s.baseAt, name, syncDir)
	}
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	return s.rec.deleted(base(tls, s.baseAt, name, syncDir), filepath.Base(path))
}

// openDir is called by SQLite only to sync the folder, within a sync or a delete.
func (s *shim) openDir(tls *libc.TLS, path, fd uintptr) int32 {
	rc := function[dirFunc](s.dir)(tls, path, fd)
	// The recorder is locked if it is a file of its folder.
	if rc == sqlite3.SQLITE_OK && filepath.Dir(libc.GoString(path)) == s.rec.dir {
		s.rec.dirSynced = true
	}
	return rc
}
