package public

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

// EndedShown is how long the status page shows an incident with a note after its
// end.
const EndedShown = 24 * time.Hour

// Status is what the status page says, and the answer to GET /status.json. It
// holds nothing of a service but what stands here: no address, container, host,
// cause, evidence or name of an operator.
type Status struct {
	Title     string     `json:"title"`
	Time      time.Time  `json:"time"`
	Verdict   string     `json:"verdict"` // one sentence
	Groups    []Group    `json:"groups"`
	Incidents []Incident `json:"incidents"` // open ones, and those with a note that ended in the last 24 hours; newest first
	Tone      string     `json:"-"`
}

// Group is one of the groups that are published.
type Group struct {
	Name     string    `json:"name"`
	Services []Service `json:"services"`
}

// Service is a service of a published group.
type Service struct {
	Name   string       `json:"name"`
	Status event.Status `json:"status"`
	Since  time.Time    `json:"since"`
	Uptime Uptime       `json:"uptime"`
	Days   []view.Day   `json:"days"` // 30, today last
}

// Uptime is the share of the known time, 0 to 1; null where nothing is known.
type Uptime struct {
	Day   *float64 `json:"24h"`
	Week  *float64 `json:"7d"`
	Month *float64 `json:"30d"`
}

// Incident is an incident of a service of a published group.
type Incident struct {
	Service string     `json:"service"`
	Since   time.Time  `json:"since"`
	Ended   *time.Time `json:"ended"` // null while it is open
	Text    string     `json:"text"`  // one sentence
	Notes   []Note     `json:"notes"`
	pieces  []Piece
}

// Pieces is Text in pieces: words and instants.
func (in Incident) Pieces() []Piece { return in.pieces }

// Piece is a part of a sentence: words, or an instant, which a script of the page
// shows in the reader's zone.
type Piece struct {
	Text string    // as it is read without a script
	At   time.Time // zero: words
}

// say makes Text, and its pieces, of words and instants.
func (in *Incident) say(now time.Time, parts ...any) {
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			in.pieces = append(in.pieces, Piece{Text: part})
		case time.Time:
			in.pieces = append(in.pieces, Piece{Text: utc(part, now), At: part})
		}
	}
	for _, piece := range in.pieces {
		in.Text += piece.Text
	}
}

// Note is what an operator wrote about an incident.
type Note struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// Page is the status page as HTML.
func (s Status) Page() []byte { return execute("status.html", s) }

// JSON is the same for programs.
func (s Status) JSON() []byte {
	out, err := json.Marshal(s)
	if err != nil {
		panic("public: encode: " + err.Error()) // a bug: these are our own types
	}
	return append(out, '\n')
}

// Decide fills in what follows from the services.
func (s *Status) Decide() {
	counts := map[event.Status]int{}
	all := 0
	for _, g := range s.Groups {
		for _, one := range g.Services {
			counts[one.Status]++
			all++
		}
	}
	are := func(n int, what string) string {
		if n == 1 {
			return "1 service is " + what + "."
		}
		return fmt.Sprintf("%d services are %s.", n, what)
	}
	switch down, slow := counts[event.Down], counts[event.Degraded]; {
	case all == 0:
		s.Verdict = "No service is published here."
	case down > 0:
		s.Tone, s.Verdict = "down", are(down, "down")
	case slow > 0:
		s.Tone, s.Verdict = "warn", are(slow, "degraded")
	case counts[event.Up] == all:
		s.Tone, s.Verdict = "up", "All services are up."
	default:
		s.Verdict = are(all-counts[event.Up], "without data")
	}
}

// Published is what is said of an incident; false where it is not shown.
func Published(in view.Incident, now time.Time) (Incident, bool) {
	since := in.FirstBad
	if since.IsZero() || since.After(in.Opened) {
		since = in.Opened
	}
	p := Incident{Service: in.Service, Since: since, Notes: []Note{}}
	for _, n := range in.Notes {
		p.Notes = append(p.Notes, Note{n.Time, n.Text})
	}
	if in.State == state.Resolved {
		if in.Resolved == nil || len(p.Notes) == 0 || now.Sub(*in.Resolved) > EndedShown {
			return p, false
		}
		p.Ended = in.Resolved
		p.say(now, in.Service+" failed at ", since, " and recovered at ", *in.Resolved, ".")
		return p, true
	}
	p.say(now, in.Service+" failed at ", since, ": "+progress(in)+".")
	return p, true
}

// progress is where an open incident stands, without what is inside.
func progress(in view.Incident) string {
	switch {
	case in.State == state.Escalated:
		return "a person was called"
	case in.Approval != nil:
		return "the repair waits for an operator"
	case in.Held != "":
		return "the repair is on hold"
	case in.Phase == view.PhaseAction:
		return "it is being repaired"
	case in.Phase == view.PhaseVerification:
		return "it was repaired, and the repair is being verified"
	}
	return "the cause is being diagnosed"
}

// utc is an instant for readers anywhere.
func utc(t, now time.Time) string {
	t = t.UTC()
	if t.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return t.Format("15:04 UTC")
	}
	return t.Format("2 Jan 15:04 UTC")
}

// Word is the status as people read it.
func (s Service) Word() string { return StatusWord(s.Status) }

// Tone is the class of the status.
func (s Service) Tone() string {
	return map[event.Status]string{event.Up: "up", event.Degraded: "warn", event.Down: "down"}[s.Status]
}

// Strip says in words what the strip of days draws.
func (s Service) Strip() string {
	failed, unknown := 0, 0
	for _, d := range s.Days {
		switch {
		case d.Uptime == nil:
			unknown++
		case d.DownS > 0:
			failed++
		}
	}
	said := fmt.Sprintf("%s: failures on %s", many(len(s.Days), "day"), many(failed, "day"))
	if unknown > 0 {
		said += fmt.Sprintf(", no data on %s", many(unknown, "day"))
	}
	return said
}

// barHeight is the height of the strip, in units of its viewBox.
const barHeight = 14

// Bar is a day of the strip: quiet where nothing failed, as high as the share of the
// day that was down, and red only while the service is down.
type Bar struct {
	X, Y, Height float64
	Class, Said  string
}

// Bars are the days as they are drawn.
func (s Service) Bars() []Bar {
	const low, least = 4, 7.0
	bars := make([]Bar, len(s.Days))
	for i, d := range s.Days {
		bar := Bar{X: float64(i), Height: low, Said: said(d)}
		switch today := i == len(s.Days)-1; {
		case today && s.Status == event.Down:
			bar.Class, bar.Height = "down", barHeight
		case d.Uptime == nil:
		case d.DownS > 0:
			bar.Class, bar.Height = "past", max(least, math.Round((1-*d.Uptime)*barHeight))
		default:
			bar.Class = "up"
		}
		bar.Y = barHeight - bar.Height
		bars[i] = bar
	}
	return bars
}

// marks are the shapes of the tones, as in the page's own sprite.
var marks = map[string]string{"up": "i-up", "warn": "i-warn", "down": "i-down", "": "i-none"}

// Known says of an uptime what the page shows.
func (u Uptime) Known() []struct{ Window, Share string } {
	var list []struct{ Window, Share string }
	for _, one := range []struct {
		window string
		share  *float64
	}{{"24 h", u.Day}, {"7 days", u.Week}, {"30 days", u.Month}} {
		share := "no data"
		if one.share != nil {
			share = Percent(*one.share)
		}
		list = append(list, struct{ Window, Share string }{one.window, share})
	}
	return list
}

// said is a day of the strip in words.
func said(d view.Day) string {
	name := d.Start.UTC().Format("2 Jan")
	switch {
	case d.Uptime == nil:
		return name + ": no data"
	case d.DownS == 0:
		return name + ": no failure"
	}
	return fmt.Sprintf("%s: up %s", name, Percent(*d.Uptime))
}
