package agentclient_test

import (
	"encoding/json"
	"testing"
	"time"

	"earnest/agentclient"
)

func TestWhatIsSaidGoesOverTheWireAndReadsInEnglish(t *testing.T) {
	cost := agentclient.Money{Amount: "0.90", Currency: "escrow.example", Unit: "EUR"}
	inner := agentclient.Say("a", "Writing to {To} costs {Cost}.", "To", "{Cost}@b.example", "Cost", cost)
	failure := agentclient.Refuse("limit", agentclient.Say("b", "Nothing was paid: {Why}.", "Why", inner),
		agentclient.Say("c", "{N} of {Span} at {Time}.", "N", 3, "Span", 36*time.Hour, "Time", time.Date(2026, 11, 22, 10, 12, 0, 0, time.UTC)),
		agentclient.Verbatim("550 {Cost}")).At("to")
	data, err := json.Marshal(failure)
	if err != nil {
		t.Fatal(err)
	}
	var came agentclient.Failure
	if err := json.Unmarshal(data, &came); err != nil {
		t.Fatal(err)
	}
	const want = "Nothing was paid: Writing to {Cost}@b.example costs €0.90. 3 of 36 hours at 2026-11-22 10:12 UTC. 550 {Cost}"
	if got := came.Said().String(); got != want || came.Error() != want || came.Field != "to" {
		t.Errorf("%q, %q, %q", got, came.Error(), came.Field)
	}
	other := came.Saying(nil, nil, agentclient.Say("d", "Wait."))
	if other.Do != "Wait." || other.Happened != came.Happened || came.Say.Do.String() == "Wait." {
		t.Errorf("in other words: %+v", other)
	}
}

// TestWhatWasKeptAsATextAloneIsStillRead: by an agent of before the phrases.
func TestWhatWasKeptAsATextAloneIsStillRead(t *testing.T) {
	for kept, want := range map[string]string{`{"Error":"It says {so}."}`: "It says {so}.", `{"Error":""}`: "", `{}`: "", `{"Error":null}`: ""} {
		var record struct{ Error agentclient.Said }
		if err := json.Unmarshal([]byte(kept), &record); err != nil || record.Error.String() != want || len(record.Error) > 0 != (want != "") {
			t.Errorf("%s is read as %+v, %v", kept, record.Error, err)
		}
	}
}
