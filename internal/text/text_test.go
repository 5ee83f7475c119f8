package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"logstream/internal/redact"
)

func TestLineIsOnePrintableLine(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "connection refused", "connection refused"},
		{"letters of all scripts stay", "Größe 日本語 🚀", "Größe 日本語 🚀"},
		{"indentation and columns stay", "  at main.go:12  in run", "  at main.go:12  in run"},
		{"line breaks become one space", "first\r\n\tsecond\nthird", "first second third"},
		{"a break beside a space adds none", "first \n second", "first  second"},
		{"blank ends go", "\n text \t\n", " text"},
		{"a separator of Unicode is a break", "a\u2028b\u00a0c", "a b c"},
		{"other control characters go", "a\x00b\x07c\x7fd", "abcd"},
		{"characters that turn the direction go", "user\u202egnp.exe", "usergnp.exe"},
		{"what is not UTF-8 is marked", "a\xffb", "a\ufffdb"},
		{"nothing stays nothing", "\x1b[0m\n", ""},

		{"a colour", "\x1b[31merror\x1b[0m: x", "error: x"},
		{"a colour of 24 bits", "\x1b[38;2;255;100;0mwarn\x1b[m", "warn"},
		{"a cursor movement", "\x1b[2K\x1b[1Gdone", "done"},
		{"a private mode", "\x1b[?25lhidden\x1b[?25h", "hidden"},
		{"an intermediate byte", "\x1b[0 qtext", "text"},
		{"a sequence that was cut off", "text\x1b[38;5", "text"},
		{"a title, ended by a bell", "\x1b]0;root@host\x07prompt", "prompt"},
		{"a link, ended by ST", "\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\", "link"},
		{"a device control string", "\x1bPq#0;2;0;0;0\x1b\\text", "text"},
		{"a string without an end hides nothing", "\x1b]0;title only", "0;title only"},
		{"a string does not reach over lines", "\x1b]0;title\nERROR\x07", "0;title ERROR"},
		{"a character set", "\x1b(Btext", "text"},
		{"a reset", "\x1bctext", "text"},
		{"a sequence of one character", "\u009b31mred\u009b0m", "red"},
		{"an escape before a sequence", "\x1b\x1b[31mred", "red"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Line(c.in); got != c.want {
				t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestLineShowsColouredSecretsToTheMask(t *testing.T) {
	got := redact.Text(Line("\x1b[36mpassword\x1b[0m=hunter2"))
	if got != "password="+redact.Mask {
		t.Errorf("got %q", got)
	}
}

func TestClipSaysThatItCut(t *testing.T) {
	if got := Clip("short", 100); got != "short" {
		t.Errorf("Clip changed a short text to %q", got)
	}
	got := Clip(strings.Repeat("ü", 100), 101)
	if len(got) > 101 || !utf8.ValidString(got) || !strings.HasSuffix(got, "… (200 bytes in all)") {
		t.Errorf("Clip(200 bytes, 101) = %q, %d bytes", got, len(got))
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "a\n\tb", "\x1b[31mred\x1b[0m", "\x1b\x1b[[31m", "\x1b]0;t\x07x", "\xff\x1b[", "\u009b\u009b1m", " \x1b[1m\n "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := Line(s)
		if !utf8.ValidString(line) || strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			t.Errorf("Line(%q) = %q, which is not printable", s, line)
		}
		if again := Line(line); again != line {
			t.Errorf("Line(%q) = %q, and once more %q", s, line, again)
		}
		if printable := !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }); printable && utf8.ValidString(s) && line != strings.TrimRight(s, " ") {
			t.Errorf("Line(%q) = %q, though it was printable", s, line)
		}
	})
}

func FuzzClip(f *testing.F) {
	f.Add("text", 3)
	f.Add(strings.Repeat("ü", 200), 101)
	f.Fuzz(func(t *testing.T, s string, most int) {
		if most = max(most, 64); utf8.ValidString(s) {
			if got := Clip(s, most); len(got) > most || !utf8.ValidString(got) {
				t.Errorf("Clip(%d bytes, %d) = %q of %d bytes", len(s), most, got, len(got))
			}
		}
	})
}

func TestBlock(t *testing.T) {
	for in, want := range map[string]string{
		"It is\n\n  broken. ":                         "It is\n\n  broken. ",
		"\x1b[31mred\x1b[0m\x1b]0;owned\x07 \x00text": "red text",
		"a\r\nb\tc\u202ed\u2028e\xff":                 "a\nb cd e\uFFFD",
	} {
		if got := Block(in); got != want {
			t.Errorf("Block(%q) = %q, want %q", in, got, want)
		}
	}
}
