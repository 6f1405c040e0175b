package mail

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decodeBody undoes the transfer encoding. Damage costs the damaged place only:
// complete is false then.
func decodeBody(body []byte, encoding string) (decoded []byte, complete bool) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return decodeQuoted(body), true
	case "x-uuencode", "uuencode", "x-uue", "uue":
		return decodeUU(body)
	}
	return body, true
}

// decodeBase64 skips what is not of the alphabet (RFC 2045 section 6.8 wants
// that), takes padding anywhere, and drops an incomplete last group.
func decodeBase64(body []byte) ([]byte, bool) {
	clean := make([]byte, 0, len(body))
	out := make([]byte, 0, base64.StdEncoding.DecodedLen(len(body))+3)
	complete := true
	flush := func() {
		if len(clean)%4 == 1 {
			clean, complete = clean[:len(clean)-1], false
		}
		n := len(out)
		out = out[:n+base64.RawStdEncoding.DecodedLen(len(clean))]
		m, err := base64.RawStdEncoding.Decode(out[n:], clean)
		out = out[:n+m]
		complete = complete && err == nil
		clean = clean[:0]
	}
	for _, c := range body {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			clean = append(clean, c)
		case c == '=':
			if len(clean) > 0 {
				flush()
			}
		case c != '\r' && c != '\n' && c != ' ' && c != '\t':
			complete = false
		}
	}
	if len(clean) > 0 {
		flush()
	}
	return out, complete
}

// decodeQuoted keeps what is no valid quoted-printable as it is (RFC 2045
// section 6.7 suggests it).
func decodeQuoted(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for line := range bytes.Lines(body) {
		content := bytes.TrimRight(line, "\r\n")
		end := line[len(content):]
		content = bytes.TrimRight(content, " \t") // added by transports
		soft := bytes.HasSuffix(content, []byte("="))
		if soft {
			content = content[:len(content)-1]
		}
		for i := 0; i < len(content); i++ {
			if content[i] == '=' && i+2 < len(content) {
				hi, ok1 := unhex(content[i+1])
				lo, ok2 := unhex(content[i+2])
				if ok1 && ok2 {
					out = append(out, hi<<4|lo)
					i += 2
					continue
				}
			}
			out = append(out, content[i])
		}
		if !soft {
			out = append(out, end...)
		}
	}
	return out
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// decodeUU reads uuencoded lines between "begin" and "end".
func decodeUU(body []byte) ([]byte, bool) {
	var out []byte
	begun := false
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if !begun {
			begun = bytes.HasPrefix(line, []byte("begin "))
			continue
		}
		if bytes.Equal(line, []byte("end")) {
			return out, true
		}
		if len(line) == 0 {
			continue
		}
		n := int(line[0]-' ') & 0x3f
		line = line[1:]
		for i := 0; n > 0 && i < len(line); i += 4 {
			var group [4]byte
			for j := range group {
				if i+j < len(line) {
					group[j] = (line[i+j] - ' ') & 0x3f
				}
			}
			bytes3 := [3]byte{group[0]<<2 | group[1]>>4, group[1]<<4 | group[2]>>2, group[2]<<6 | group[3]}
			out = append(out, bytes3[:min(n, 3)]...)
			n -= 3
		}
	}
	return out, false
}
