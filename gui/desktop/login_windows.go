package desktop

import (
	"os"
	"path/filepath"
	"strings"
)

// Login starts the program at login, by a script in the user's Startup folder: a
// folder that people know and can look into, unlike the registry.
func Login() entry {
	folder := filepath.Join(os.Getenv("APPDATA"), "Microsoft", "Windows", "Start Menu", "Programs", "Startup")
	return entry{path: filepath.Join(folder, "Earnest.vbs"), text: startup}
}

// startup runs the program with no console window.
func startup(program string, args []string) string {
	words := []string{program}
	words = append(words, args...)
	for i, word := range words {
		words[i] = `""` + strings.ReplaceAll(word, `"`, `""""`) + `""`
	}
	return "CreateObject(\"WScript.Shell\").Run \"" + strings.Join(words, " ") + "\", 0, False\r\n"
}
