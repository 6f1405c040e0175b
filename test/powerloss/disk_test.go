package powerloss

import (
	"maps"
	"math/rand/v2"
	"slices"
)

const sector = 512

// disk is what a disk holds for certain, and what is on its way to it.
type disk struct {
	names   map[string]int // for certain
	renames []event        // made and deleted since the folder was synced
	files   map[int]*file
}

type file struct {
	bytes   []byte  // for certain
	pending []event // since the file was synced
}

func newDisk() *disk { return &disk{names: map[string]int{}, files: map[int]*file{}} }

// do moves the disk over one event.
func (d *disk) do(e event) {
	switch e.kind {
	case created:
		d.files[e.file] = &file{}
		d.renames = append(d.renames, e)
	case deleted:
		d.renames = append(d.renames, e)
	case wrote, resized:
		f := d.files[e.file]
		f.pending = append(f.pending, e)
	case synced:
		f := d.files[e.file]
		for _, p := range f.pending {
			f.bytes = p.applied(f.bytes, nil)
		}
		f.pending = nil
	case dirSync:
		for _, p := range d.renames {
			rename(d.names, p)
		}
		d.renames = nil
	}
}

func rename(names map[string]int, e event) {
	if e.kind == created {
		names[e.name] = e.file
	} else {
		delete(names, e.name)
	}
}

// fate is what becomes of a write that was not synced.
type fate uint8

const (
	lost fate = iota
	survives
	torn // by sectors: new, old, or destroyed
)

// applied does the write in place or in longer bytes. With a random source it is
// torn: some sectors are written, some are not, and now and then one is garbage.
// What was not part of the write stays as it was: SQLite relies on that
// (SQLITE_POWERSAFE_OVERWRITE), as file systems and disks promise it.
func (e event) applied(to []byte, tear *rand.Rand) []byte {
	if e.kind == resized {
		n := int(e.off)
		if n <= len(to) {
			return to[:n]
		}
		return append(to, make([]byte, n-len(to))...)
	}
	end := int(e.off) + len(e.data)
	if end > len(to) {
		to = append(to, make([]byte, end-len(to))...)
	}
	if tear == nil {
		copy(to[e.off:], e.data)
		return to
	}
	for at := int(e.off); at < end; {
		next := min(end, (at/sector+1)*sector)
		switch n := tear.IntN(32); {
		case n == 0:
			for i := at; i < next; i++ {
				to[i] = byte(tear.Uint32())
			}
		case n < 16:
			copy(to[at:next], e.data[at-int(e.off):])
		}
		at = next
	}
	return to
}

// cut is what a person finds after the power came back: files by their names. The
// fate is asked for each change of a file that was not synced, and for each name
// that was not; the names of one file go in their order.
func (d *disk) cut(of func(file int) fate, tear *rand.Rand) map[string][]byte {
	names := maps.Clone(d.names)
	stopped := map[string]bool{}
	for _, p := range d.renames {
		if !stopped[p.name] && of(0) != lost {
			rename(names, p)
		} else {
			stopped[p.name] = true // a later change of the name needs the earlier
		}
	}
	image := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := d.files[names[name]]
		bytes := slices.Clone(f.bytes)
		for _, p := range f.pending {
			switch of(names[name]) {
			case survives:
				bytes = p.applied(bytes, nil)
			case torn:
				bytes = p.applied(bytes, tear)
			}
		}
		image[name] = bytes
	}
	return image
}
