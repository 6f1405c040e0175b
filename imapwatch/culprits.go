package imapwatch

// culprits remembers, over connections, where fetching failed, so that one
// mail that cannot be read does not keep the others back.
type culprits struct {
	// slow mailboxes are read mail by mail.
	slow map[box]bool
	// losses counts connections lost while the mails above a UID were fetched;
	// alone, those lost over one mail by itself.
	losses, alone map[mailID]int
}

// box names a numbering of a mailbox.
type box struct {
	mailbox  string
	validity uint32
}

// lossesBorne is how often a connection may be lost at one place before the
// mail there is suspected.
const lossesBorne = 3

func newCulprits() culprits {
	return culprits{slow: make(map[box]bool), losses: make(map[mailID]int), alone: make(map[mailID]int)}
}

// careful says whether the new mails of a mailbox are to be taken one by one.
func (c culprits) careful(in selected) bool { return c.slow[box{in.name, in.validity}] }

func (c culprits) beCareful(in selected) { c.slow[box{in.name, in.validity}] = true }

// lost counts a connection lost while the mails above last were fetched.
func (c culprits) lost(in selected, last uint32) {
	id := mailID{in.name, in.validity, last}
	c.losses[id]++
	if c.losses[id] >= lossesBorne {
		c.beCareful(in)
	}
}

// lostOver counts a connection lost over one mail alone, and says whether it
// was one too many.
func (c culprits) lostOver(in selected, uid uint32) bool {
	id := mailID{in.name, in.validity, uid}
	c.alone[id]++
	return c.alone[id] >= lossesBorne
}

// clear forgets all of a mailbox that is caught up.
func (c culprits) clear(in selected) {
	delete(c.slow, box{in.name, in.validity})
	for _, counts := range []map[mailID]int{c.losses, c.alone} {
		for id := range counts {
			if id.mailbox == in.name {
				delete(counts, id)
			}
		}
	}
}
