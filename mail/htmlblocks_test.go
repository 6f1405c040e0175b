package mail_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"earnest/mail"
)

func htmlMail(source string) []byte {
	return append([]byte("From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"), source...)
}

// drawn writes blocks as a person can compare them.
func drawn(blocks []mail.Block) string {
	var lines []string
	for _, b := range blocks {
		line := b.Kind
		if b.Depth > 0 {
			line += fmt.Sprint(b.Depth)
		}
		if b.Number > 0 {
			line += fmt.Sprint("#", b.Number)
		}
		line = strings.Repeat(">", b.Quote) + line + ":"
		for _, s := range b.Spans {
			look := ""
			for name, yes := range map[string]bool{"b": s.Bold, "i": s.Italic, "m": s.Mono} {
				if yes {
					look += name
				}
			}
			if s.Link != "" {
				look += "=" + s.Link
			}
			line += fmt.Sprintf(" %q%s", s.Text, look)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestHTMLBecomesBlocks(t *testing.T) {
	for source, want := range map[string]string{
		"<h1>One</h1><h5>Five</h5>text":                                `heading1: "One"` + "\n" + `heading3: "Five"` + "\n" + `paragraph: "text"`,
		"<p>a <b>bold</b>, <i>slanted</i> and\n<code>typed</code></p>": `paragraph: "a " "bold"b ", " "slanted"i " and " "typed"m`,
		"<ul><li>x<li>y<ol><li>1<li>2</ol></ul>z":                      `item1: "x"` + "\n" + `item1: "y"` + "\n" + `item2#1: "1"` + "\n" + `item2#2: "2"` + "\n" + `paragraph: "z"`,
		"<blockquote>q<blockquote>r</blockquote></blockquote>a<hr>b":   `>paragraph: "q"` + "\n" + `>>paragraph: "r"` + "\n" + `paragraph: "a"` + "\n" + `rule:` + "\n" + `paragraph: "b"`,
		"<pre>\n  a\n   b\n</pre>c":                                    `pre: "  a\n   b"` + "\n" + `paragraph: "c"`,
		"a<br>b<br><br><br>c":                                          `paragraph: "a\nb\n\nc"`,
		"<table><tr><td>1<td>2<tr><td>3</table>":                       `paragraph: "1 2"` + "\n" + `paragraph: "3"`,
		// Links: whole, one span each, and never something that a click would run.
		`see <a href="https://a.example/x">here</a>.`:                                     `paragraph: "see " "here"=https://a.example/x "."`,
		`<a href="https://evil.example">https://bank.example</a>`:                         `paragraph: "https://bank.example"=https://evil.example`,
		`<a href="https://evil.example">https://<b>bank</b>.example</a>`:                  `paragraph: "https://bank.example"=https://evil.example`,
		`<a href="https://a.example"></a>`:                                                `paragraph: "https://a.example"=https://a.example`,
		`<a href="https://a.example"><img src="https://t.example/p.gif"></a>`:             `paragraph: "https://a.example"=https://a.example`,
		`<a href="https://a.example"><p>one<p>two</a>`:                                    `paragraph: "one"=https://a.example` + "\n" + `paragraph: "two"=https://a.example`,
		`<a href="http://a.example">a</a> <a href="http://b.example">b</a>`:               `paragraph: "a"=http://a.example " " "b"=http://b.example`,
		`<a href="javascript:alert(1)">x</a><a href="data:text/html,x">y</a>`:             `paragraph: "xy"`,
		`<a href="file:///etc/passwd">x</a><a href="//a.example">y</a><a href="/z">z</a>`: `paragraph: "xyz"`,
		`<a href="tel:110">call</a> me`:                                                   `paragraph: "call <tel:110> me"`,
		`<a href="mailto:a@b.example">write</a>`:                                          `paragraph: "write"=mailto:a@b.example`,
		"<a href='https://a.example/\u202ex'>t</a>":                                       `paragraph: "t"=https://a.example/%E2%80%AEx`,
		// What is not shown as text is not shown here.
		"<style>p{}</style><script>x()</script><p>seen<template>no</template><svg><text>no</text></svg>": `paragraph: "seen"`,
		"<title>no</title><img alt='a picture' src='https://t.example/p.gif'>":                           `paragraph: "[a picture]"`,
		"<p>a\u202eb\x1b[31mc\u2066d</p>":                                                                `paragraph: "ab[31mcd"`,
		"<!-- no --><p onclick=x()>seen":                                                                 `paragraph: "seen"`,
		"<li>loose":                                                                                      `item1: "loose"`,
		strings.Repeat("<blockquote>", 30) + "deep" + strings.Repeat("</blockquote>", 40) + "flat":       strings.Repeat(">", 20) + `paragraph: "deep"` + "\n" + `paragraph: "flat"`,
	} {
		c, err := mail.Read(htmlMail(source))
		if err != nil || drawn(c.Blocks) != want {
			t.Errorf("%q, %v:\n%s\nwant\n%s", source, err, drawn(c.Blocks), want)
		}
	}
}

func TestBlocksAreThereWhereTheTextWasHTML(t *testing.T) {
	for source, want := range map[string]string{
		"Content-Type: text/plain\n\n<b>plain</b>": "",
		"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n":           "",
		"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n":               `paragraph: "html"b`,
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<h1>html</h1>\n--b\n\nfoot\ner\n\n\n\nend\n--b--\n": `heading1: "html"` + "\n" + `paragraph: "foot\ner"` + "\n" + `paragraph: "end"`,
	} {
		c, err := mail.Read(crlf("From: a@b.example\n" + source))
		if err != nil || drawn(c.Blocks) != want || c.FromHTML != (want != "") {
			t.Errorf("%q, %v: %s, want %s", source, err, drawn(c.Blocks), want)
		}
	}
}

// hostile are sources that would grow or be slow.
func hostile() map[string]string {
	const n = 1 << 20
	long := "<a href='https://a.example/" + strings.Repeat("x", n) + "'>"
	return map[string]string{
		"a long link through many blocks": long + strings.Repeat("<p>x", 100_000),
		"many blocks":                     strings.Repeat("<p>x", n),
		"many spans":                      strings.Repeat("<b>x</b>y", n/4),
		"deep lists":                      strings.Repeat("<ul><li>", n) + "x",
		"deep quotes":                     strings.Repeat("<blockquote>x", n/4),
		"open links":                      strings.Repeat("<a href=https://a.example>x", n/4),
		"closed links":                    strings.Repeat("</a></ul></pre></b>", n/4),
		"rules":                           strings.Repeat("<hr>", n),
		"words":                           strings.Repeat("x ", 4*n),
		"more words than are shown":       strings.Repeat("x ", 12*n),
		"one word":                        "<a href='tel:1'>" + strings.Repeat("x", 8*n),
	}
}

func TestHostileHTMLIsBounded(t *testing.T) {
	for name, source := range hostile() {
		began := time.Now()
		c, err := mail.Read(htmlMail(source))
		if err != nil {
			t.Fatal(err)
		}
		size, spans := 0, 0
		for _, b := range c.Blocks {
			for _, s := range b.Spans {
				size, spans = size+len(s.Text)+len(s.Link), spans+1
			}
		}
		if len(c.Blocks) > 5000 || spans > 20_000 || size > mail.MaxText {
			t.Errorf("%s: %d blocks, %d spans, %d bytes", name, len(c.Blocks), spans, size)
		}
		// Work that grows with the square of the mail takes hours. A machine that
		// does something else, or looks for races, may take many times a second.
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// letters is text without white space.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// FuzzHTMLBlocks: whatever blocks show, the text shows in the same order, and so
// is nothing that its rules hide; links are of the kinds that may be followed.
func FuzzHTMLBlocks(f *testing.F) {
	for _, seed := range []string{"<h1>a</h1><p>b <b>c</b><ul><li>d<ol><li>e</ol></ul><pre> f\n g</pre><hr><blockquote>h<br>i",
		`<a href="https://a.example">x<p>y</a><a href=tel:1>z</a><a href=mailto:a@b></a>`, "<script>no</script><style>no</style><svg>no<p>no</svg>yes",
		"<body><template>no<body>yes", "<a href=https://a.example><script>", "<pre><a href=http://x>\n</a></pre><img alt=x>", "<p>\u202e\u2028\x00&#xD800;&lt;x&gt;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		c, err := mail.Read(htmlMail(source))
		if err != nil || !c.FromHTML || c.Incomplete {
			return
		}
		var all strings.Builder
		for _, b := range c.Blocks {
			if b.Quote < 0 || b.Quote > 20 || b.Depth < 0 || b.Depth > 20 {
				t.Errorf("a block %+v", b)
			}
			for _, s := range b.Spans {
				checkShown(t, "span", s.Text, true)
				checkShown(t, "link", s.Link, false)
				all.WriteString(s.Text)
				if scheme, _, _ := strings.Cut(strings.ToLower(s.Link), ":"); s.Link != "" && scheme != "http" && scheme != "https" && scheme != "mailto" {
					t.Errorf("a link to %q", s.Link)
				}
			}
		}
		text := letters(c.Text)
		for _, r := range letters(all.String()) {
			at := strings.IndexRune(text, r)
			if at < 0 {
				t.Fatalf("blocks show %q, the text is %q", all.String(), c.Text)
			}
			text = text[at+len(string(r)):]
		}
	})
}
