// Package public makes what is shown without the page's own program: the page
// behind a signed link, the status page and badges. They need no JavaScript, and
// are complete in one answer. All that others wrote is escaped. No I/O.
package public

import (
	"bytes"
	"embed"
	"html/template"
	"strings"
	"time"
)

// Policy is the Content-Security-Policy of these pages: our own style sheet and
// fonts, a form to ourselves, and no script at all.
const Policy = "default-src 'none'; " + own

// StatusPolicy is that of the status page, which its own script brings up to date.
const StatusPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; " + own

const own = "style-src 'self'; font-src 'self'; img-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed *.html
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"instant": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"mark":    func(tone string) string { return marks[tone] },
}).ParseFS(files, "*.html"))

func execute(name string, data any) []byte {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		panic("public: " + name + ": " + err.Error()) // a bug: these are our own types
	}
	return b.Bytes()
}

// Link is the page behind a signed link.
type Link struct {
	Title string // what is asked, or what became of it
	Say   string // one sentence
	Tone  string // down, warn, up or empty: the colour of the title's mark

	Rows    []Row
	Button  string // empty: there is nothing to confirm
	Danger  bool   // of the button
	Confirm string // what the form sends back

	Again    bool   // a link to this page, which says what became of it
	Incident string // the incident's id, for a link to it; empty: none
}

// Row is one line of what would be done.
type Row struct {
	Name, Value string
	Code        bool // Value is a command line
}

// Page is the page as HTML.
func (l Link) Page() []byte { return execute("link.html", l) }

// Moment is an instant as it is read on the machine that LogStream runs on,
// with its time zone.
func Moment(t time.Time) string {
	t = t.Local()
	if t.Format(time.DateOnly) == time.Now().Format(time.DateOnly) {
		return t.Format("15:04 MST")
	}
	return t.Format("2 Jan 2006 15:04 MST")
}

// Spell is a length of time in words, in whole minutes where it has any.
func Spell(d time.Duration) string {
	if d < time.Minute {
		return many(int(d/time.Second), "second")
	}
	var parts []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / unit.length); n > 0 {
			parts = append(parts, many(n, unit.name))
			d -= time.Duration(n) * unit.length
		}
	}
	return strings.Join(parts, " ")
}
