package agentclient_test

import (
	"testing"
	"time"

	"earnest/agentclient"
)

func TestTimeLeftIsInTheOneUnitThatMatters(t *testing.T) {
	type left struct {
		n    int
		unit time.Duration
	}
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]left{
		-time.Hour: {0, time.Minute}, 59 * time.Second: {0, time.Minute}, 119 * time.Second: {1, time.Minute},
		time.Hour - 20*time.Second: {1, time.Hour}, 23 * time.Hour: {23, time.Hour}, 36 * time.Hour: {1, day},
		14*day - time.Hour: {14, day}, 14*day - 61*time.Minute: {13, day}, 7*day - 1: {7, day},
	} {
		if n, unit := agentclient.Left(d); (left{n, unit}) != want {
			t.Errorf("%v is %d of %v", d, n, unit)
		}
	}
}
