package faults

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// pattern is a word in one of the forms in which it may rest.
type pattern struct {
	form  string
	bytes []byte
}

// patterns are the forms of a word: raw, UTF-16, hexadecimal, and base64 of each
// at the three alignments, and of that once more (a mail's part in a JSON field).
func patterns(word string) []pattern {
	wide := utf16.Encode([]rune(word))
	var little, big []byte
	for _, c := range wide {
		little = append(little, byte(c), byte(c>>8))
		big = append(big, byte(c>>8), byte(c))
	}
	plain := []pattern{{"raw", []byte(word)}, {"UTF-16LE", little}, {"UTF-16BE", big}, {"hexadecimal", []byte(hex.EncodeToString([]byte(word)))}}
	all := plain
	for depth := range 2 {
		var next []pattern
		for _, p := range plain {
			for shift := range 3 {
				form := fmt.Sprintf("base64 at %d of %s", shift, p.form)
				for _, text := range aligned(p.bytes, shift) {
					next = append(next, pattern{form, text})
				}
			}
		}
		all = append(all, next...)
		if plain = next; depth == 0 {
			// Only text is encoded twice.
			plain = slices.DeleteFunc(plain, func(p pattern) bool { return !strings.HasSuffix(p.form, "raw") })
		}
	}
	return all
}

// aligned is what base64 makes of the bytes wherever they lie in a text, in both
// alphabets: the characters that their neighbours do not touch.
func aligned(b []byte, shift int) [][]byte {
	padded := append(make([]byte, shift), b...)
	var out [][]byte
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		text := encoding.EncodeToString(padded)
		from, to := (shift*8+5)/6, len(padded)*8/6
		out = append(out, []byte(text[from:to]))
	}
	if bytes.Equal(out[0], out[1]) {
		return out[:1]
	}
	return out
}

// search looks for the words in every file under the folders, and in whatever is
// compressed in them. It returns where it found one, and how many bytes it read.
func search(words []string, folders ...string) (hits []string, size int, err error) {
	var forms []pattern
	for _, word := range words {
		forms = append(forms, patterns(word)...)
	}
	for _, folder := range folders {
		err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				return nil // a running process has replaced it
			}
			size += len(data)
			for _, hit := range inside(data, forms) {
				hits = append(hits, filepath.Base(path)+": "+hit)
			}
			return err
		})
		if err != nil {
			break
		}
	}
	return hits, size, err
}

// inside searches bytes, and the streams that begin anywhere in them.
func inside(data []byte, forms []pattern) (hits []string) {
	for _, p := range forms {
		if bytes.Contains(data, p.bytes) {
			hits = append(hits, p.form)
		}
	}
	for at := range max(0, len(data)-2) {
		for form, stream := range streams(data[at:]) {
			for _, p := range forms {
				if bytes.Contains(stream, p.bytes) {
					hits = append(hits, fmt.Sprintf("%s in %s", p.form, form))
				}
			}
		}
	}
	return hits
}

// streams inflates what looks like the beginning of compressed data.
func streams(data []byte) map[string][]byte {
	out := map[string][]byte{}
	limit := func(r io.Reader) []byte {
		text, _ := io.ReadAll(io.LimitReader(r, 1<<20)) // what came before an error counts
		return text
	}
	if data[0] == 0x1f && data[1] == 0x8b && data[2] == 8 { // RFC 1952 section 2.3.1
		if r, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			out["gzip"] = limit(r)
		}
	}
	if data[0]&0x0f == 8 && (int(data[0])<<8|int(data[1]))%31 == 0 { // RFC 1950 section 2.2
		if r, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
			out["zlib"] = limit(r)
		}
	}
	return out
}

func TestSearchFindsWordsInEveryForm(t *testing.T) {
	const word = "Quittenmus"
	squeeze := func(make func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		w := make(&b)
		fmt.Fprintf(w, "some text before %s and after", word)
		w.Close()
		return append([]byte("bytes before"), b.Bytes()...)
	}
	b64 := func(before string) []byte {
		return []byte(base64.StdEncoding.EncodeToString([]byte(before + word + " tail")))
	}
	wide := func(order int) (out []byte) {
		for _, c := range []byte(word) {
			pair := []byte{c, 0}
			out = append(out, pair[order], pair[1-order])
		}
		return out
	}
	for name, data := range map[string][]byte{
		"raw": []byte("x" + word), "base64, 0": b64(""), "base64, 1": b64("a"), "base64, 2": b64("ab"), "base64, 3": b64("abc"),
		"UTF-16LE": wide(0), "UTF-16BE": wide(1), "hexadecimal": []byte(hex.EncodeToString([]byte(word))),
		"base64 of base64": []byte(base64.URLEncoding.EncodeToString(append([]byte("{\""), b64("zz")...))),
		"base64 of UTF-16": []byte(base64.StdEncoding.EncodeToString(append([]byte{1}, wide(0)...))),
		"gzip":             squeeze(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"zlib": squeeze(func(w io.Writer) io.WriteCloser {
			z, err := zlib.NewWriterLevel(w, flate.BestCompression)
			if err != nil {
				t.Fatal(err)
			}
			return z
		}),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "file"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if hits, _, err := search([]string{word}, dir); err != nil || len(hits) == 0 {
			t.Errorf("%s: not found (%v)", name, err)
		}
		if hits, _, err := search([]string{"Mirabelle"}, dir); err != nil || len(hits) > 0 {
			t.Errorf("%s: found what is not there: %v (%v)", name, hits, err)
		}
	}
	t.Run("write-ahead log", func(t *testing.T) {
		dir := t.TempDir()
		db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "db")+"?_pragma=journal_mode(WAL)")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, query := range []string{`CREATE TABLE a (b)`, `INSERT INTO a VALUES ('` + word + `')`} {
			if _, err := db.Exec(query); err != nil {
				t.Fatal(err)
			}
		}
		hits, _, err := search([]string{word}, dir)
		if err != nil || !slices.Contains(hits, "db-wal: raw") {
			t.Errorf("found %v (%v)", hits, err)
		}
	})
}
