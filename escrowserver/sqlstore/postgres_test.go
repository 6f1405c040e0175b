package sqlstore

import (
	"strings"
	"testing"

	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

func openPostgresTest(t *testing.T, cluster *pgtest.Cluster) *Store {
	t.Helper()
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return openAt(t, url)
}

func TestServiceOnPostgres(t *testing.T) {
	cluster := pgtest.For(t)
	servicetest.Run(t, func(t *testing.T) servicetest.Harness { return servicetest.NewHarness(t, openPostgresTest(t, cluster)) })
}

func TestMachineOnPostgres(t *testing.T) {
	cluster := pgtest.For(t)
	servicetest.Machine(t, func(t *testing.T) servicetest.Harness { return servicetest.NewHarness(t, openPostgresTest(t, cluster)) }, 3, 300)
}

// A server that may lose what it has acknowledged is refused.
func TestUnsafePostgresIsRefused(t *testing.T) {
	cluster := pgtest.For(t, "fsync=off")
	if s, err := Open(t.Context(), cluster.URL("postgres")); err == nil || !strings.Contains(err.Error(), "fsync") {
		t.Errorf("opened %v, %v", s, err)
	}
}
