package app

import (
	"log/slog"

	"earnest/internal/logx"
)

// recentLines is how much of the log is kept in memory, for the person and for
// diagnostics.
const recentLines = 500

// keepLog has the last lines of the log kept beside the real one, and addresses
// hidden in both. Without a key for addresses they all get one name: that is no
// reason not to start.
func keepLog(config *Config) *logx.Recent {
	hasher, err := logx.LoadHasher(config.Home)
	recent := logx.NewRecent(recentLines, hasher)
	config.Log = slog.New(slog.NewMultiHandler(logx.Hiding(config.Log.Handler(), hasher), recent.Handler(slog.LevelInfo)))
	if err != nil {
		config.Log.Warn("the key for addresses in logs cannot be used, all addresses have one name there", "err", err)
	}
	config.Log.Info("the agent starts", "version", config.Version, "keyring", config.Keyring)
	return recent
}
