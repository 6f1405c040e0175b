package viewmodel

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FileEntry is a file or a folder to choose.
type FileEntry struct {
	Name   string
	Folder bool
}

// ListFolder lists what can be chosen in a folder: its folders first, each part by
// name. Names that begin with a dot are listed only where hidden is set, and files
// only where folders is not.
func ListFolder(dir string, hidden, folders bool) ([]FileEntry, error) {
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []FileEntry
	for _, e := range found {
		isDir := e.IsDir()
		if e.Type()&os.ModeSymlink != 0 { // a link to a folder is one
			info, err := os.Stat(filepath.Join(dir, e.Name()))
			isDir = err == nil && info.IsDir()
		}
		if strings.HasPrefix(e.Name(), ".") && !hidden || folders && !isDir {
			continue
		}
		all = append(all, FileEntry{Name: e.Name(), Folder: isDir})
	}
	slices.SortFunc(all, func(x, y FileEntry) int {
		if x.Folder != y.Folder {
			if x.Folder {
				return -1
			}
			return 1
		}
		return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name))
	})
	return all, nil
}

// Named is the file that a person means who typed that in a folder: "~" is the
// home folder, and a whole path is itself.
func Named(dir, typed string) string {
	if rest, ok := strings.CutPrefix(typed, "~"); ok && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(typed) {
		return filepath.Clean(typed)
	}
	return filepath.Join(dir, typed)
}
