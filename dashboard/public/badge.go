package public

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"

	"logstream/internal/event"
	"logstream/internal/text"
)

// Colours of badges: the fills of style.css in the light theme, on each of which
// white text has a contrast of 4.5 and more.
const (
	green  = "#1d7a4d"
	amber  = "#805c00"
	red    = "#c3271f"
	grey   = "#60656a"
	ground = "#454a4e"
)

// maxLabel is how many characters of a service's name a badge shows.
const maxLabel = 40

// words are the statuses as the page calls them, and their colours.
var words = map[event.Status]struct{ word, colour string }{
	event.Up: {"Up", green}, event.Degraded: {"Degraded", amber}, event.Down: {"Down", red},
	event.Pending: {"Awaiting first check", grey}, event.Unknown: {"No data", grey},
}

// StatusWord is a status as people read it.
func StatusWord(s event.Status) string {
	if w, is := words[s]; is {
		return w.word
	}
	return words[event.Unknown].word
}

// StatusBadge is an SVG with a service's status.
func StatusBadge(name string, s event.Status) []byte {
	w, is := words[s]
	if !is {
		w = words[event.Unknown]
	}
	return badge(name, strings.ToLower(w.word), w.colour)
}

// UptimeBadge is an SVG with a service's uptime over a window; nil: nothing is
// known.
func UptimeBadge(name, window string, share *float64) []byte {
	if share == nil {
		return badge(name+" uptime "+window, "no data", grey)
	}
	colour := red
	switch {
	case *share >= 0.99:
		colour = green
	case *share >= 0.95:
		colour = amber
	}
	return badge(name+" uptime "+window, Percent(*share), colour)
}

// UnknownBadge is the same for a service that does not exist and for one that
// the reader may not see.
func UnknownBadge(name string) []byte { return badge(name, "unknown", grey) }

// Percent is a share that is never rounded up, least of all to 100%.
func Percent(share float64) string {
	cut := math.Floor(share*1e4+1e-6) / 100
	return strconv.FormatFloat(cut, 'f', -1, 64) + "%"
}

// badge is an SVG of two fields, 20 px high. textLength makes it fit whatever
// font is there.
func badge(label, value, colour string) []byte {
	label = clip(text.Line(label))
	lw, vw := width(label), width(value)
	const pad = 6
	left, right := lw+2*pad, vw+2*pad
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="%[2]s: %[3]s"><title>%[2]s: %[3]s</title>`,
		left+right, html.EscapeString(label), html.EscapeString(value))
	fmt.Fprintf(&b, `<clipPath id="c"><rect width="%[1]d" height="20" rx="3"/></clipPath><g clip-path="url(#c)"><rect width="%[2]d" height="20" fill="%[3]s"/><rect x="%[2]d" width="%[4]d" height="20" fill="%[5]s"/></g>`,
		left+right, left, ground, right, colour)
	b.WriteString(`<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">`)
	fmt.Fprintf(&b, `<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>`, pad, lw, html.EscapeString(label))
	fmt.Fprintf(&b, `<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text></g></svg>`+"\n", left+pad, vw, html.EscapeString(value))
	return b.Bytes()
}

func clip(s string) string {
	if r := []rune(s); len(r) > maxLabel {
		return string(r[:maxLabel-1]) + "…"
	}
	return s
}

// width is about how wide a text is in Verdana at 11 px.
func width(s string) int {
	w := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("ijl.,:;'|!()[] ", r):
			w += 4
		case strings.ContainsRune("mwMW%@", r):
			w += 10.5
		case r >= 'A' && r <= 'Z':
			w += 7.8
		case r > 0x2000:
			w += 12
		default:
			w += 6.8
		}
	}
	return int(math.Ceil(w))
}

func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
