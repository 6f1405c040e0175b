package imapwatch_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/imapwatch"
	"earnest/internal/mailhost"
)

// script is an IMAP server that answers as badly as it is told.
type script struct {
	addr string
	tls  *tls.Config
	mu   sync.Mutex
	// mails are in order of their UIDs, which begin with 1.
	mails [][]byte
	// fetch, if set, writes the answer for one mail instead; false ends the connection.
	fetch func(w io.Writer, tag string, uid int, whole bool) (handled, goOn bool)
	// noSearch refuses UID SEARCH.
	noSearch bool
	// idle is said in IDLE, once.
	idle string
	// lines are what clients said.
	lines []string
}

func newScript(t *testing.T, s *script) *script {
	t.Helper()
	now := time.Now()
	authority, err := mailhost.NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	pair, _, _, err := authority.Issue(now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.tls = l.Addr().String(), &tls.Config{RootCAs: authority.Pool()}
	var served sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { s.serve(conn) })
		}
	})
	return s
}

var fetchLine = regexp.MustCompile(`^FETCH (\S+) (.*)$`)

func (s *script) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	fmt.Fprint(conn, "* OK [CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN SASL-IR] hi\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		tag, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		verb, args, _ := strings.Cut(rest, " ")
		s.mu.Lock()
		count := len(s.mails)
		s.lines = append(s.lines, rest)
		s.mu.Unlock()
		switch verb {
		case "AUTHENTICATE":
			fmt.Fprintf(conn, "%s OK [CAPABILITY IMAP4rev1 IDLE] in\r\n", tag)
		case "EXAMINE":
			fmt.Fprintf(conn, "* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT %d] x\r\n%s OK [READ-ONLY] x\r\n", count, count+1, tag)
		case "IDLE":
			fmt.Fprint(conn, "+ go\r\n")
			s.mu.Lock()
			fmt.Fprint(conn, s.idle)
			s.idle = ""
			s.mu.Unlock()
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
			fmt.Fprintf(conn, "%s OK x\r\n", tag)
		case "UID":
			if !s.uid(conn, tag, args) {
				return
			}
		case "LOGOUT":
			fmt.Fprintf(conn, "* BYE x\r\n%s OK x\r\n", tag)
			return
		default:
			fmt.Fprintf(conn, "%s OK x\r\n", tag)
		}
	}
}

// uid answers UID SEARCH with everything in range and UID FETCH with the mails.
func (s *script) uid(w io.Writer, tag, args string) (goOn bool) {
	s.mu.Lock()
	mails := s.mails
	s.mu.Unlock()
	if m := fetchLine.FindStringSubmatch(args); m != nil {
		for uid := 1; uid <= len(mails); uid++ {
			if !inSet(m[1], uid) {
				continue
			}
			whole := strings.Contains(m[2], "BODY.PEEK[]")
			if s.fetch != nil {
				handled, goOn := s.fetch(w, tag, uid, whole)
				if !goOn {
					return false
				}
				if handled {
					continue
				}
			}
			answer(w, uid, mails[uid-1], whole)
		}
		fmt.Fprintf(w, "%s OK x\r\n", tag)
		return true
	}
	if s.noSearch && strings.Contains(args, "HEADER") {
		fmt.Fprintf(w, "%s NO cannot\r\n", tag)
		return true
	}
	fmt.Fprint(w, "* SEARCH")
	set := regexp.MustCompile(`UID (\S+)`).FindStringSubmatch(args)
	for uid := 1; uid <= len(mails); uid++ {
		if inSet(set[1], uid) {
			fmt.Fprintf(w, " %d", uid)
		}
	}
	fmt.Fprintf(w, "\r\n%s OK x\r\n", tag)
	return true
}

func answer(w io.Writer, uid int, raw []byte, whole bool) {
	if whole {
		fmt.Fprintf(w, "* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", uid, uid, len(raw), raw)
		return
	}
	header, _, _ := strings.Cut(string(raw), "\r\n\r\n")
	header += "\r\n\r\n"
	fmt.Fprintf(w, "* %d FETCH (UID %d RFC822.SIZE %d BODY[HEADER.FIELDS (\"From\")] {%d}\r\n%s)\r\n", uid, uid, len(raw), len(header), header)
}

func inSet(set string, uid int) bool {
	for part := range strings.SplitSeq(set, ",") {
		low, high, ranged := strings.Cut(part, ":")
		from, _ := strconv.Atoi(low)
		to := from
		if ranged && high == "*" {
			to = 1 << 30
		} else if ranged {
			to, _ = strconv.Atoi(high)
		}
		if uid >= from && uid <= to {
			return true
		}
	}
	return false
}

func TestOneHostileMailDoesNotStopTheOthers(t *testing.T) {
	const bad = 4
	in := func(whole bool, say string) func(io.Writer, string, int, bool) (bool, bool) {
		return func(w io.Writer, _ string, uid int, isWhole bool) (bool, bool) {
			if uid != bad || isWhole != whole {
				return false, true
			}
			fmt.Fprint(w, say)
			return true, true
		}
	}
	hangUp := func(whole bool) func(io.Writer, string, int, bool) (bool, bool) {
		return func(_ io.Writer, _ string, uid int, isWhole bool) (bool, bool) {
			return false, uid != bad || isWhole != whole
		}
	}
	for name, c := range map[string]struct {
		fetch func(io.Writer, string, int, bool) (bool, bool)
		// comes says that the mail itself comes too; waits that it is kept for later.
		comes, waits bool
	}{
		"header cannot be parsed":    {fetch: in(false, "* 4 FETCH (UID 4 BODY[HEADER.FIELDS (((\r\n")},
		"body cannot be parsed":      {fetch: in(true, "* 4 FETCH (UID 4 BODY[] gibberish)\r\n")},
		"unknown item":               {fetch: in(true, "* 4 FETCH (UID 4 X-EVIL (1 2 3))\r\n")},
		"unknown response":           {fetch: in(true, "* 4 XYZZY\r\n")},
		"body shorter than said":     {fetch: in(true, "* 4 FETCH (UID 4 BODY[] {90000}\r\nshort)\r\n"), waits: true},
		"body is missing":            {fetch: in(true, "* 4 FETCH (UID 4 BODY[] NIL)\r\n")},
		"mail is gone":               {fetch: in(true, "")},
		"server dies over header":    {fetch: hangUp(false), waits: true},
		"server dies over body":      {fetch: hangUp(true), waits: true},
		"server refuses the fetch":   {fetch: refuse(bad)},
		"flags come before the mail": {fetch: flagsFirst(bad), comes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{fetch: c.fetch}
			var want []string
			for i := 1; i <= 9; i++ {
				id := fmt.Sprintf("<e%d>", i)
				s.mails = append(s.mails, encrypted(id))
				if i != bad || c.comes {
					want = append(want, id)
				}
			}
			newScript(t, s)
			var st states
			var k taker
			m := &memory{}
			cfg := backend{addr: s.addr, tls: s.tls}.config(&st)
			cfg.Timing.RetryMin, cfg.Timing.RetryMax = time.Hour, time.Hour
			// Longer than a busy machine ever takes to answer: a silence is the script's.
			cfg.Timing.Command, cfg.Timing.Search = 1500*time.Millisecond, 1500*time.Millisecond
			watch(t, cfg, &k, m)
			k.wants(t, want...)
			await(t, "all to be handled", func() bool {
				p, _ := m.Position(t.Context(), "INBOX")
				return p.LastUID == 9 && (len(p.Pending) == 1) == c.waits
			})
		})
	}
}

func refuse(bad int) func(io.Writer, string, int, bool) (bool, bool) {
	return func(w io.Writer, tag string, uid int, whole bool) (bool, bool) {
		if uid != bad || !whole {
			return false, true
		}
		fmt.Fprintf(w, "%s NO [SERVERBUG] this one is broken\r\n", tag)
		return true, false
	}
}

func flagsFirst(bad int) func(io.Writer, string, int, bool) (bool, bool) {
	var once sync.Map
	return func(w io.Writer, _ string, uid int, whole bool) (bool, bool) {
		if _, said := once.LoadOrStore(whole, true); uid == bad || !said {
			if _, said := once.LoadOrStore(fmt.Sprint(whole, uid), true); !said {
				fmt.Fprintf(w, "* %d FETCH (UID %d FLAGS (\\Seen))\r\n", bad, bad)
			}
		}
		return false, true
	}
}

func TestUnknownResponseWhileIdling(t *testing.T) {
	s := newScript(t, &script{mails: [][]byte{encrypted("<e1>")}, idle: "* XYZZY plugh\r\n"})
	var st states
	var k taker
	watch(t, backend{addr: s.addr, tls: s.tls}.config(&st), &k, &memory{})
	await(t, "watching again", func() bool { return st.count(imapwatch.Watching) == 2 })
	s.mu.Lock()
	s.mails = append(s.mails, encrypted("<e2>"))
	s.idle = "* 2 EXISTS\r\n"
	s.mu.Unlock()
	await(t, "a restart of IDLE", func() bool { return len(k.ids()) > 1 || st.count(imapwatch.Failing) > 0 })
	k.wants(t, "<e1>", "<e2>")
}

func TestServerThatCannotSearchIsReadByHeaders(t *testing.T) {
	s := &script{noSearch: true}
	var want []string
	for i := 1; i <= 1200; i++ {
		raw := foreign(fmt.Sprintf("<f%d>", i))
		if i%100 == 0 {
			id := fmt.Sprintf("<e%d>", i)
			raw = encrypted(id)
			want = append(want, id)
		}
		s.mails = append(s.mails, raw)
	}
	newScript(t, s)
	var st states
	var k taker
	watch(t, backend{addr: s.addr, tls: s.tls}.config(&st), &k, &memory{})
	k.wants(t, want...)
}

func TestHostileHeaders(t *testing.T) {
	// Only Dovecot gives malformed mails as they are.
	t.Parallel()
	_, b := dovecot(t)
	tail := "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b--\r\n"
	global := "From: a@example.net\r\nMessage-ID: <global>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" +
		"Content-Type: message/global\r\n\r\nFrom: x\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n(((\r\n--b--\r\n"
	for _, raw := range []string{
		global,
		"Message-ID: <long>\r\n" + tail[:len(tail)-9] + strings.Repeat("x", 100) + "\r\n",
		"From: " + strings.Repeat("x", 40_000) + "\r\nMessage-ID: <giant>\r\n" + tail,
		"From: \xff\xfe \"unclosed <a@\r\nMessage-ID: <bytes>\r\n" + tail,
		"From:\r\n\tfolded@example.net\r\nMESSAGE-ID:\r\n <folded>\r\n" + tail,
		"Message-ID: <twice>\r\nMessage-ID: <second>\r\n" + tail,
	} {
		b.deliver(t, "INBOX", []byte(raw))
	}
	var s states
	var k taker
	watch(t, b.config(&s), &k, &memory{})
	k.wants(t, "<long>", "<giant>", "<bytes>", "<folded>", "<twice>")
	for _, m := range k.mails {
		if m.MessageID == "<folded>" && m.From != "folded@example.net" {
			t.Errorf("From is %q, want it unfolded", m.From)
		}
	}
}
