// Package viewmodel is what the window knows and may do, in plain Go: the state
// behind every page, the rules of every button, and the words that are shown. It
// knows the agent's client and no drawing library, so it is tested without one.
//
// Methods return at once and may be called from the drawing goroutine; whatever
// asks the agent happens in Run. After each change the listener is called, from
// any goroutine, and the pages ask for their views anew.
package viewmodel

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"earnest/agentclient"
	"earnest/gui/words"
)

// Config is what a Model needs. Agent is required.
type Config struct {
	Agent agentclient.Agent
	// Start starts an agent if none runs; nil where that is not wanted. Its
	// error is shown to the person.
	Start    func(context.Context) error
	Now      func() time.Time
	Location *time.Location
	Language words.Language
	Log      *slog.Logger
}

// Page is what the window shows beside the navigation.
type Page string

// The pages.
const (
	PageWaiting  Page = "waiting"
	PageAccepted Page = "accepted"
	PageRejected Page = "rejected"
	PageExpired  Page = "expired"
	PageSent     Page = "sent"
	PageDrafts   Page = "drafts"
	PagePeople   Page = "people"
	PageMoney    Page = "money"
	PagePrice    Page = "price"
	PageSettings Page = "settings"
	PageWrite    Page = "write"
	PageAccount  Page = "account" // the first start, and further accounts
	PageUnlock   Page = "unlock"  // the passphrase of the key file
)

// Limits of what is asked of the agent.
const (
	callTimeout = 30 * time.Second
	sendTimeout = 2 * time.Minute // several bonds, keyring and submission
)

// Model is the state behind the window. Make one with New, and call Run.
type Model struct {
	agent agentclient.Agent
	start func(context.Context) error
	now   func() time.Time
	say   speech
	log   *slog.Logger

	wake   chan struct{} // tells Run that tasks wait
	taskMu sync.Mutex    // apart from mu: work is queued from inside changes
	tasks  []func(context.Context)
	open   int // tasks queued or under way

	mu        sync.Mutex
	listener  func()
	page      Page
	link      link
	loads     loads
	status    agentclient.Status
	loaded    bool // status was read once
	box       box
	out       outbox
	purse     purse
	byCard    byCard
	payout    payOut
	statement statement
	limits    limits
	chart     chart
	own       ownPrice
	draft     *draft
	offers    offers
	desk      desk
	setups    setups
	keyFile   keyFile
	removing  removal
	safe      safety
	prefs     preferences
	support   support
	folk      folk
	news      news
	watcher   func() // beside the listener: the tray
}

// New makes a model that knows nothing yet.
func New(cfg Config) *Model {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Location == nil {
		cfg.Location = time.Local
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &Model{
		agent:  cfg.Agent,
		start:  cfg.Start,
		now:    cfg.Now,
		say:    speech{words.In(cfg.Language), cfg.Now, cfg.Location},
		log:    cfg.Log,
		wake:   make(chan struct{}, 1),
		page:   PageWaiting,
		link:   link{state: linkConnecting},
		setups: newSetups(),
		draft:  newDraft(),
	}
	return m
}

// OnWatch sets a second listener, for what stands outside the window.
func (m *Model) OnWatch(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watcher = fn
}

// Speak changes the language.
func (m *Model) Speak(l words.Language) {
	m.update(func() { m.say.Words = words.In(l) })
}

// Words are what the pages say by themselves.
func (m *Model) Words() words.Words {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.say.Words
}

// OnChange sets the listener. It is called without locks held.
func (m *Model) OnChange(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listener = fn
}

// Run follows the agent's events and does what the person asked, until ctx ends.
func (m *Model) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer m.keepLast(ctx) // when all else has ended
	defer wg.Wait()
	wg.Go(func() { m.follow(ctx) })
	wg.Go(func() { m.tick(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		}
		m.taskMu.Lock()
		tasks := m.tasks
		m.tasks = nil
		m.taskMu.Unlock()
		for _, task := range tasks {
			wg.Go(func() {
				defer m.settled()
				task(ctx)
			})
		}
	}
}

// tick redraws while an undo counts down, and once a minute for "6 days".
func (m *Model) tick(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	last := m.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
		}
		now := m.now()
		if m.counts(now) || now.Sub(last) >= time.Minute {
			last = now
			m.changed()
		}
	}
}

// do queues work that asks the agent.
func (m *Model) do(task func(context.Context)) {
	m.taskMu.Lock()
	m.tasks = append(m.tasks, task)
	m.open++
	m.taskMu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Model) settled() {
	m.taskMu.Lock()
	defer m.taskMu.Unlock()
	m.open--
}

// Settled tells that nothing is being asked of the agent.
func (m *Model) Settled() bool {
	m.taskMu.Lock()
	defer m.taskMu.Unlock()
	return m.open == 0
}

// update changes the state and tells the listener.
func (m *Model) update(change func()) {
	m.mu.Lock()
	change()
	m.mu.Unlock()
	m.changed()
}

func (m *Model) changed() {
	m.mu.Lock()
	listener, watcher := m.listener, m.watcher
	m.mu.Unlock()
	for _, fn := range []func(){listener, watcher} {
		if fn != nil {
			fn()
		}
	}
}

// Show turns to a page.
func (m *Model) Show(p Page) {
	m.update(func() {
		if p == m.page {
			m.box.reading = false
			m.out.reading = false
			return
		}
		m.leaving(m.page)
		m.page = p
		m.box.turn()
		m.box.search = "" // it was for the list that is left
		m.out.reading = false
		m.purse.tab = MoneyBalance
	})
	m.turnMoney(p)
	m.turnPrice(p)
}

// Page is the page to show: the passphrase's as long as the agent is locked, the
// account form as long as there is no account.
func (m *Model) Page() Page {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.shown()
}

func (m *Model) shown() Page {
	if m.locked() {
		return PageUnlock
	}
	if m.first() {
		return PageAccount
	}
	return m.page
}

// FirstStart tells that the first account is still being set up, or that the agent
// is locked, so there is nowhere else to go.
func (m *Model) FirstStart() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first()
}

func (m *Model) first() bool {
	return m.loaded && (len(m.status.Accounts) == 0 || m.settingUp())
}
