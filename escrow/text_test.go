package escrow

import "testing"

func TestPlainJSON(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":"b"}`: true, `"ä☃"`: true, `"\\u0000"`: true, `"\u0000"`: false, `"\\\u0000"`: false, `{"\u0000":1}`: false,
		`"\u0001"`: true, `"\u00000"`: false, "\"a\x00\"": false, "\"\xff\"": false, "\"\xc0\x80\"": false, `\`: true, `\u000`: true, ``: true,
	} {
		if PlainJSON([]byte(text)) != want {
			t.Errorf("%q is plain: %v", text, !want)
		}
	}
}
