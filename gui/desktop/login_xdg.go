//go:build linux || freebsd || openbsd || netbsd

package desktop

import (
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
)

// Login starts the program at login (Desktop Application Autostart Specification).
func Login() entry {
	return entry{path: filepath.Join(xdg.ConfigHome, "autostart", "earnest.desktop"), text: autostart}
}

func autostart(program string, args []string) string {
	words := []string{quoted(program)}
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	return "[Desktop Entry]\nType=Application\nName=Earnest\nIcon=earnest\nTerminal=false\nExec=" + strings.Join(words, " ") +
		"\nX-GNOME-Autostart-enabled=true\n"
}

// quoted writes an argument of Exec: in quotes, with what the specification
// reserves escaped once for the quotes and backslashes once more for the file.
func quoted(arg string) string {
	inQuotes := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`).Replace(arg)
	inFile := strings.ReplaceAll(inQuotes, `\`, `\\`)
	return `"` + strings.ReplaceAll(inFile, "%", "%%") + `"`
}
