package powerloss

import (
	"math/rand/v2"
	"slices"
)

// cut is a disk as it may be after the power went, and what the books on it must
// hold.
type cut struct {
	at    int // how much of the trace had happened
	again int // which of the cuts there
	image map[string][]byte
	took  bool // something unsynced did not survive whole

	opened   bool
	answered int // the newest batch that was acknowledged; -1: none
	asked    int // the one that was on its way; -1: none
}

// places are where the power goes: before and after every sync, as far as n
// allows, those of the rare kinds first; and between the writes.
func places(r recording, n int, rng *rand.Rand) []int {
	var rare, syncs, others []int
	for i, e := range r.trace {
		switch {
		case e.kind == created || e.kind == deleted || e.kind == dirSync || e.kind == synced && e.file == 1:
			rare = append(rare, i, i+1)
		case e.kind == synced:
			syncs = append(syncs, i, i+1)
		default:
			others = append(others, i)
		}
	}
	if len(rare)+len(syncs) > n {
		rng.Shuffle(len(syncs), func(i, j int) { syncs[i], syncs[j] = syncs[j], syncs[i] })
		rng.Shuffle(len(rare), func(i, j int) { rare[i], rare[j] = rare[j], rare[i] })
		rare = rare[:min(len(rare), n/3)]
		syncs = syncs[:min(len(syncs), n/3)]
	}
	all := append(rare, syncs...)
	for len(all) < n {
		all = append(all, others[rng.IntN(len(others))])
	}
	slices.Sort(all)
	return all
}

// each makes the disks of the cuts, in the order of the trace.
func each(r recording, seed uint64, at []int, do func(cut)) {
	d, c := newDisk(), r.start
	var shared []byte
	for i := 0; len(at) > 0; i++ {
		for c.again = 0; len(at) > 0 && at[0] == i; c.again++ {
			at = at[1:]
			made := c
			made.at = i
			made.image, made.took = d.fall(rand.New(rand.NewPCG(seed, uint64(i)<<16|uint64(c.again))), shared)
			do(made)
		}
		if i == len(r.trace) {
			return
		}
		switch e := r.trace[i]; e.kind {
		case opened:
			c.opened = true
		case asked:
			c.asked = int(e.off)
		case answered:
			c.answered, c.asked = int(e.off), -1
			if e.data != nil {
				shared = e.data
			}
		default:
			d.do(e)
		}
	}
}

// fall draws what becomes of all that was not synced.
func (d *disk) fall(rng *rand.Rand, shared []byte) (image map[string][]byte, took bool) {
	fates := [][]fate{{lost}, {survives}, {lost, survives}, {lost, survives, torn}, {torn}, {survives, survives, survives, torn}}
	general := fates[rng.IntN(len(fates))]
	own := map[int][]fate{}
	if rng.IntN(3) == 0 { // each file has a fate of its own
		for id := range len(d.files) + 1 { // 0 is the folder
			own[id] = fates[rng.IntN(len(fates))]
		}
	}
	image = d.cut(func(file int) fate {
		among := general
		if own[file] != nil {
			among = own[file]
		}
		f := among[rng.IntN(len(among))]
		took = took || f != survives
		return f
	}, rng)
	// Shared memory belongs to no file on the disk; what is found there after the
	// start may be nothing, old, or anything.
	switch rng.IntN(3) {
	case 0:
		garbage := make([]byte, 32<<10)
		for i := range garbage {
			garbage[i] = byte(rng.Uint32())
		}
		image[booksFile+"-shm"] = garbage
	case 1:
		if shared != nil {
			image[booksFile+"-shm"] = shared
		}
	}
	return image, took
}
