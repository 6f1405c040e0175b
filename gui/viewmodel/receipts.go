package viewmodel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"earnest/agentclient"
)

// MaxReceipts bounds a file of receipts that is checked.
const MaxReceipts = 1 << 20

// proof is receipts that were asked for, of the chosen mail or of a file.
type proof struct {
	open, asking bool
	file         bool // of a file, shown in place of a mail
	name         string
	receipts     agentclient.Receipts
	err          said
	saved        said
}

// Proof is what receipts prove, ready to draw.
type Proof struct {
	Show     bool
	File     bool
	Title    string
	Loading  string
	Verdict  string
	Tone     Tone
	Means    string
	Steps    []Step
	Bond     string
	Key      string
	MaySave  bool
	FileName string // offered for saving
	Saved    string
}

// CheckReceipts shows the receipts of the chosen mail and whether the chain of
// them is whole. The agent holds them against the key that was pinned when the
// account was made; no network is asked.
func (m *Model) CheckReceipts() {
	m.mu.Lock()
	i := m.out.index(m.out.selected)
	if i < 0 || m.out.proof.asking {
		m.mu.Unlock()
		return
	}
	if m.out.proof.open {
		m.out.proof = proof{}
		m.mu.Unlock()
		m.changed()
		return
	}
	id, bond := m.out.mails[i].ID, m.out.mails[i].Bond
	m.out.proof = proof{open: true, asking: true}
	m.mu.Unlock()
	m.changed()
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		receipts, err := m.agent.Receipts(ctx, bond)
		m.update(func() {
			if m.out.selected == id && m.out.proof.asking && !m.out.proof.file {
				m.out.proof = proof{open: true, receipts: receipts, err: fails(err)}
			}
		})
	})
}

// CheckReceiptFile shows what a file of exported receipts proves.
func (m *Model) CheckReceiptFile(name string, data []byte) {
	var receipts agentclient.Receipts
	p := proof{open: true, file: true, name: line(name)}
	decoder := json.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&receipts); {
	case len(data) > MaxReceipts:
		p.err = says("receipts.file.large")
	case err != nil, len(receipts.Receipts) == 0, decoder.Decode(new(any)) != io.EOF:
		p.err = says("receipts.file.none", "Name", p.name)
	default:
		p.asking = true
	}
	m.update(func() { m.out.proof, m.out.reading, m.out.notice = p, true, nil })
	if !p.asking {
		return
	}
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		checked, err := m.agent.CheckReceipts(ctx, receipts)
		m.update(func() {
			if m.out.proof.file && m.out.proof.name == p.name && m.out.proof.asking {
				m.out.proof = proof{open: true, file: true, name: p.name, receipts: checked, err: fails(err)}
			}
		})
	})
}

// ReceiptFileFailed says why a file could not be read.
func (m *Model) ReceiptFileFailed(name string, err error) {
	m.update(func() {
		m.out.proof = proof{open: true, file: true, name: line(name), err: fails(err)}
		m.out.reading = true
	})
}

// CloseReceipts takes the receipts away.
func (m *Model) CloseReceipts() {
	m.update(func() {
		m.out.reading = m.out.reading && !m.out.proof.file
		m.out.proof = proof{}
	})
}

// SaveReceipts writes the receipts that are shown, to be checked anywhere.
// write is called outside the drawing goroutine.
func (m *Model) SaveReceipts(write func(data []byte) error) {
	m.mu.Lock()
	receipts := m.out.proof.receipts
	m.mu.Unlock()
	if len(receipts.Receipts) == 0 {
		return
	}
	m.do(func(context.Context) {
		data, err := json.MarshalIndent(receipts, "", "  ")
		if err == nil {
			err = write(append(data, '\n'))
		}
		m.update(func() {
			if m.out.proof.receipts.Bond != receipts.Bond {
				return
			}
			m.out.proof.saved = says("receipts.saved")
			if err != nil {
				m.out.proof.saved = says("receipts.not-saved", "Why", fails(err))
			}
		})
	})
}

// proofView says what the receipts prove; the caller holds the lock.
func (m *Model) proofView() Proof {
	p := m.out.proof
	if !p.open {
		return Proof{}
	}
	v := Proof{Show: true, File: p.file, Title: m.say.T("receipts.title"), Saved: m.say.again(p.saved)}
	if p.file {
		v.Title = p.name
	}
	r := p.receipts
	switch {
	case p.asking:
		v.Loading = m.say.T("receipts.asking")
		return v
	case p.err != nil:
		v.Verdict, v.Tone = m.say.again(p.err), Against
		return v
	case r.Verified && p.file && !r.KeyPinned:
		v.Verdict, v.Tone, v.Means = m.say.T("receipts.whole"), Good, m.say.T("receipts.means.file")
	case r.Verified:
		v.Verdict, v.Tone, v.Means = m.say.T("receipts.whole"), Good, m.say.T("receipts.means")
	default:
		v.Verdict, v.Tone, v.Means = m.say.T("receipts.broken", "Why", line(sentence(m.say.agent(r.SayFault, r.Fault)))), Against, m.say.T("receipts.broken.means")
		if p.file {
			v.Means = m.say.T("receipts.broken.file")
		}
	}
	for i, step := range r.Steps {
		v.Steps = append(v.Steps, Step{Title: m.receiptWords(step), Time: m.say.step(step), Done: r.Verified, Last: i == len(r.Steps)-1})
	}
	v.Bond, v.Key = line(r.Bond), line(r.ReceiptKey)
	v.MaySave = !p.file && len(r.Receipts) > 0
	v.FileName = fmt.Sprintf("earnest-%s.json", safeID(r.Bond))
	return v
}

// receiptWords is a step in the window's words; one that it does not know is
// shown as the escrow says it.
func (m *Model) receiptWords(r agentclient.Receipt) string {
	event := line(r.Event)
	switch r.Event {
	case sentPaid, sentArrived, "arrived_late", "read", sentAccepted, "accepted_late", sentRejected, sentExpired, sentWithdrawn:
		event = m.say.T("receipts.event." + r.Event)
	}
	switch r.Money {
	case "held", "refunded", "forfeited":
		return m.say.T("receipts.step", "Event", event, "Money", m.say.T("sent.money."+r.Money))
	}
	return event
}

// safeID is what a file's name can have of an id.
func safeID(id string) string {
	id = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, id)
	return id[:min(len(id), 16)]
}
