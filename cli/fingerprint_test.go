//go:build unix

package cli

import (
	"bytes"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// TestAFingerprintIsShownWholeAndAcceptedByGivingIt: also one that begins with a dash,
// as one in 64 does.
func TestAFingerprintIsShownWholeAndAcceptedByGivingIt(t *testing.T) {
	const address = "author@example.net"
	shown := "-" + strings.Repeat("n3W_", 10) + "-X"
	agent := agenttest.Scene(sunday)
	agent.ChangeIdentity(address, shown)
	before, err := agent.Fingerprints(t.Context(), "", address)
	if err != nil || len(shown) != hashLength {
		t.Fatal(err, len(shown))
	}
	agent.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: address}})
	agent.ChangeIdentity(address, shown)
	for _, tt := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"price", "show", address}, 10, []string{before.Known, shown, "accept-fingerprint " + address}},
		{[]string{"price", "fingerprint", address}, 0, []string{before.Known, shown, "no money", "by another way", "people remove", "accept-fingerprint " + address + " FINGERPRINT\n"}},
		{[]string{"price", "accept-fingerprint", address}, 2, []string{"<fingerprint>"}},
		{[]string{"price", "accept-fingerprint", address, before.Known}, 10, []string{"not the fingerprint"}},
		{[]string{"price", "accept-fingerprint", address, "y"}, 10, []string{"not the fingerprint"}},
		{[]string{"price", "accept-fingerprint", address, shown}, 0, []string{"Accepted.", shown, before.Known, "bond", "people remove"}},
		{[]string{"price", "fingerprint", address}, 0, []string{"shows the same", "accepted it by hand", "Until"}},
		{[]string{"price", "accept-fingerprint", address, shown, "--json"}, 0, []string{`"known":"` + shown + `"`}},
	} {
		var out bytes.Buffer
		code := Main(t.Context(), tt.args, Streams{In: strings.NewReader(""), Out: &out, Err: &out, Now: sunday},
			func(string) string { return "" }, Hooks{Connect: func(string) agentclient.Agent { return agent }})
		for _, says := range tt.says {
			if code != tt.code || !strings.Contains(out.String(), says) {
				t.Errorf("%v: exit %d, not %q: %s", tt.args, code, says, out.String())
			}
		}
	}
}
