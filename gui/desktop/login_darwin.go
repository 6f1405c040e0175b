package desktop

import (
	"html"
	"os"
	"path/filepath"
	"strings"
)

// Login starts the program at login, as a launch agent of the user.
func Login() entry {
	home, _ := os.UserHomeDir()
	return entry{path: filepath.Join(home, "Library", "LaunchAgents", "earnest.desktop.plist"), text: launchAgent}
}

func launchAgent(program string, args []string) string {
	var words strings.Builder
	for _, word := range append([]string{program}, args...) {
		words.WriteString("    <string>" + html.EscapeString(word) + "</string>\n")
	}
	return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
		"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n" +
		"<plist version=\"1.0\"><dict>\n  <key>Label</key><string>earnest.desktop</string>\n  <key>ProgramArguments</key><array>\n" +
		words.String() + "  </array>\n  <key>RunAtLoad</key><true/>\n</dict></plist>\n"
}
