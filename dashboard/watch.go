package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"logstream/dashboard/view"
)

// What a client may send. A page of a large fleet watches the services that are on its
// screen:
//
//	{"type":"watch","services":["a","b"]}
//
// From then on observations ("health") of other services are left out of its
// frames, which count them as "left_out"; everything else still comes, so that no
// state is missed. The answer is an events frame with "watching", the number of names, and
// "part": it has the seq of the frame before it. It brings the newest
// observation of each service that was not watched before. With "services" null
// everything comes again. It follows the next frame, or the snapshot of a client that
// fell behind: one answer for all that was sent meanwhile, of which the last counts.

const (
	maxWatched = 200 // names
	maxName    = 128 // characters
	// maxInbound is enough for so many names of so many characters of any script.
	maxInbound = 128 << 10

	watchRate, watchBurst = 10, 20 // a second; a client that sends more is read more slowly
)

func newWatchLimit() *rate.Limiter { return rate.NewLimiter(watchRate, watchBurst) }

// watched are the services whose observations a client is sent; nil: all.
type watched map[string]bool

func (w watched) has(name string) bool { return w == nil || w[name] }

// watchMessage has the fields of a watch.
type watchMessage struct {
	Type     string   `json:"type"`
	Services []string `json:"services"`
}

// parseWatch reads a message of a client. `is` says whether it is a watch at all, and the
// error what is wrong with one.
func parseWatch(body []byte) (w watched, is bool, err error) {
	given, err := members(body)
	if err != nil || !slices.ContainsFunc(given, func(m member) bool { return m.name == "type" && string(m.value) == `"watch"` }) {
		return nil, false, nil
	}
	var services json.RawMessage
	for _, m := range given {
		switch m.name {
		case "type":
		case "services":
			services = m.value
		default:
			return nil, true, unknownField(m.name, fieldsOf(&watchMessage{}))
		}
	}
	switch string(services) {
	case "":
		return nil, true, errors.New(`the field "services" is missing: names, or null for all`)
	case "null":
		return nil, true, nil
	}
	var names []*string
	if err := json.Unmarshal(services, &names); err != nil {
		return nil, true, errors.New(`"services" must be an array of names, or null`)
	}
	if len(names) > maxWatched {
		return nil, true, fmt.Errorf("%d names are given; at most %d are allowed", len(names), maxWatched)
	}
	w = make(watched, len(names))
	for _, name := range names {
		if name == nil || *name == "" || utf8.RuneCountInString(*name) > maxName {
			return nil, true, fmt.Errorf("a service's name has 1 to %d characters", maxName)
		}
		w[*name] = true
	}
	return w, true, nil
}

// answer answers the clients that sent a watch since the last frame: each once, about
// the newest of its watches, whatever it sent meanwhile. sent is what the frame just
// made brings. Each observation is encoded once for all of them, and their own
// goroutines put the answers together: what a client sends costs the others little.
func (l *loop) answer(sent []view.Change) {
	var asking []*client
	wanted, all := watched{}, false // what any of them missed
	for c := range l.clients {
		if !c.unanswered || c.stage != current {
			continue
		}
		asking = append(asking, c)
		all = all || c.watch == nil && c.had != nil
		for name := range c.watch {
			if !c.had.has(name) {
				wanted[name] = true
			}
		}
	}
	if len(asking) == 0 {
		return
	}
	if all {
		wanted = nil
	}
	brought := map[string]bool{}
	for _, change := range sent {
		if name, is := observationOf(change); is {
			brought[name] = true
		}
	}
	newest := newestOf(l.seq, l.fleet.Newest(func(name string) bool { return wanted.has(name) && !brought[name] }))
	for _, c := range asking {
		c.answer(newest)
	}
}

func newestOf(seq uint64, newest []view.Observation) *batch {
	changes := make([]view.Change, len(newest))
	for i, o := range newest {
		changes[i] = view.Change{Kind: view.KindHealth, Data: o}
	}
	return encodeParts(seq, changes)
}

// answer says that a watch is in force, with the newest observations that were missed.
func (c *client) answer(newest *batch) {
	c.unanswered = false
	c.offer(outgoing{batch: newest, answer: true, had: c.had, watch: c.watch})
	c.had = c.watch
}

// writeAnswer writes the answer to a client that watches w and watched had before. It is a part
// of the frame that has its seq, so that seq stays one for all.
func (b *batch) writeAnswer(body *bytes.Buffer, had, w watched) {
	b.copy(body, func(name string) bool { return !had.has(name) && w.has(name) })
	body.WriteString(`],"part":true,"watching":`)
	if w == nil {
		body.WriteString("null}") // all
		return
	}
	body.WriteString(strconv.Itoa(len(w)))
	body.WriteByte('}')
}
