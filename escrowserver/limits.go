package escrowserver

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"earnest/escrow"
)

// Limits of the protocol.
const (
	neverArrivedMost   = 3
	neverArrivedWindow = 30 * 24 * time.Hour
	// At most 5% of a pool, and at least 2, may wait unarrived for one group.
	groupShare = max(2, escrow.PoolSize*5/100)

	lookupsAnHour = 60

	// ClaimsADay and ClaimPause bound the token mails to one address: those that
	// its holder asks for, and those that all others together ask for.
	ClaimsADay = 5
	ClaimPause = time.Hour
	// AccountClaimsADay is how many of the others' mails one account may take, and
	// AddressesADay to how many addresses that it does not hold it may have mailed.
	AccountClaimsADay = 2
	AddressesADay     = 5
	// mailTimeout is how long a relay may take over a token mail.
	mailTimeout = 30 * time.Second
	// ClaimLife is how long a mailed token can be used.
	ClaimLife = 24 * time.Hour

	// maxOffer bounds a signed offer: every quote and receipt chain carries it.
	maxOffer = 8 << 10

	// DecisionsOfABond are taken before no reject of it can be undone any more.
	DecisionsOfABond = 20

	renewAfter = 180 * 24 * time.Hour
	keepSold   = 24 * time.Hour
)

// largeProviders give addresses to anybody: their customers are no
// organisation, so they count by address.
func largeProviders() []string {
	return []string{
		"126.com", "163.com", "bluewin.ch", "bk.ru", "btinternet.com", "comcast.net", "daum.net", "fastmail.com", "fastmail.fm", "free.fr",
		"freenet.de", "gmail.com", "googlemail.com", "hanmail.net", "hey.com", "home.nl", "icloud.com", "inbox.ru", "interia.pl",
		"kpnmail.nl", "laposte.net", "libero.it", "list.ru", "mac.com", "mail.com", "mail.ru", "mailbox.org", "me.com", "msn.com",
		"naver.com", "o2.pl", "onet.pl", "orange.fr", "pm.me", "posteo.de", "proton.me", "protonmail.ch", "protonmail.com", "qq.com",
		"rambler.ru", "rediffmail.com", "rocketmail.com", "seznam.cz", "sfr.fr", "t-online.de", "telenet.be", "tuta.com", "tuta.io",
		"tutanota.com", "tutanota.de", "uol.com.br", "verizon.net", "virgilio.it", "wanadoo.fr", "web.de", "wp.pl", "xs4all.nl",
		"ymail.com", "ziggo.nl", "zoho.com",
	}
}

// largeNames are providers with a domain in many countries: the label before
// the public suffix.
func largeNames() []string {
	return []string{"aol", "gmx", "hotmail", "live", "outlook", "yahoo", "yandex"}
}

// publicProvider reports whether the organisation's domain is of a large
// provider. Names count under a country's suffix, .com and .net alone: under the
// many others anybody may have registered them.
func publicProvider(org string) bool {
	if slices.Contains(largeProviders(), org) {
		return true
	}
	name, suffix, _ := strings.Cut(org, ".")
	top := suffix[strings.LastIndexByte(suffix, '.')+1:]
	return slices.Contains(largeNames(), name) && (len(top) == 2 || suffix == "com" || suffix == "net")
}

// SenderGroup names who a sender counts with: the organisational domain, found
// with the Public Suffix List, or the folded address alone at a large provider.
func SenderGroup(a escrow.Address) string {
	org := organisation(a)
	if publicProvider(org) {
		return string(a.Folded())
	}
	return org
}

// organisation is the organisational domain of an address.
func organisation(a escrow.Address) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(a.Domain())
	if err != nil {
		org = a.Domain()
	}
	return strings.ToLower(org)
}

// Standing is what speaks against a sender.
type Standing struct {
	// Proven: the account has proven the sender address.
	Proven bool
	// AccountEnded and AddressEnded are when bonds of the account, and of the
	// folded address, ended without arrived: newest first, as far back as matters.
	AccountEnded, AddressEnded []time.Time
	// GroupHeld counts the group's unarrived bonds at this recipient.
	GroupHeld int
	// Blocked: the recipient rejected a mail of this sender with block.
	Blocked bool
}

// Lookback is how far back ended bonds matter to [Standing.Check].
const Lookback = 2 * neverArrivedWindow

// Check refuses a sender who left too many bonds unarrived, or whose group has
// too many waiting at this recipient.
func (s Standing) Check(now time.Time) error {
	if !s.Proven {
		return escrow.Errorf(escrow.Unproven, "prove first that the sender address is yours")
	}
	until := barredUntil(s.AccountEnded)
	if other := barredUntil(s.AddressEnded); other.After(until) {
		until = other
	}
	if until.After(now) {
		err := escrow.Errorf(escrow.Limited, "too many of your bonds ended before their mail arrived; your money is back, and you can buy again later")
		err.RetryAfter = until.Sub(now)
		return err
	}
	if s.Blocked || s.GroupHeld >= groupShare {
		// One answer for both: whether somebody is blocked is the recipient's business.
		return escrow.Errorf(escrow.Limited, "this recipient takes no further mail from you at present; nothing was paid; try again another day")
	}
	return nil
}

// barredUntil is 30 days after the newest third bond within 30 days that ended
// without arrived; zero if there is none. The times are newest first.
func barredUntil(ended []time.Time) time.Time {
	for i := 0; i+neverArrivedMost <= len(ended); i++ {
		if ended[i].Sub(ended[i+neverArrivedMost-1]) <= neverArrivedWindow {
			return ended[i].Add(neverArrivedWindow)
		}
	}
	return time.Time{}
}
