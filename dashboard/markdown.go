package dashboard

import (
	"fmt"
	"strings"
	"time"

	"logstream/internal/redact"
)

// What others wrote, as text of Markdown: shown as it was written, and without secrets.

// fence writes lines as they are, between fences longer than any in them.
func fence(b *strings.Builder, lines []string) {
	text := redact.Text(strings.Join(lines, "\n"))
	mark := strings.Repeat("`", max(3, longestRun(text)+1))
	fmt.Fprintf(b, "%s text\n%s\n%s\n\n", mark, text, mark)
}

func longestRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }

func milliseconds(ms *float64) string {
	if ms == nil {
		return ""
	}
	return elapsed(time.Duration(*ms * float64(time.Millisecond)))
}

// elapsed is a duration as people say it.
func elapsed(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// plain is the text of others in one line of Markdown: shown as it was written.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(redact.Text(s)), " ") {
		switch {
		case r == '<':
			b.WriteString("&lt;") // for renderers that let tags through
			continue
		case strings.ContainsRune("\\`*_{}[]>()#+!|~&$", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is the text of others as code within a line.
func code(s string) string {
	text := strings.Join(strings.Fields(redact.Text(s)), " ")
	if text == "" {
		return ""
	}
	mark := strings.Repeat("`", longestRun(text)+1)
	return mark + " " + text + " " + mark
}
