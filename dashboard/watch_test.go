package dashboard

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

func (p *page) send(text string) {
	p.t.Helper()
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

// watch sends a watch and reads frames until its answer.
func (p *page) watch(names ...string) frame {
	p.t.Helper()
	services := []byte("null")
	if names != nil {
		services, _ = json.Marshal(names)
	}
	p.send(`{"type":"watch","services":` + string(services) + `}`)
	for {
		if f := p.next(); f.Part {
			return f
		}
	}
}

// observed are the services whose observations are in frames.
func (f frame) observed(t *testing.T) []string {
	var names []string
	for _, e := range f.Events {
		if e.Kind == view.KindHealth {
			names = append(names, decode[event.HealthLog](t, e.Data).Service)
		}
	}
	return names
}

// until reads frames until they brought all the observations, by service, and left
// out so many; then it checks that there is nothing beyond.
func (p *page) until(want map[string]int, leftOut int) {
	p.t.Helper()
	got, left := map[string]int{}, 0
	for !maps.Equal(got, want) || left != leftOut {
		f := p.next()
		left += f.LeftOut
		for _, name := range f.observed(p.t) {
			got[name]++
		}
		for name := range got {
			if got[name] > want[name] || left > leftOut {
				p.t.Fatalf("the frames brought %v and left out %d, want %v and %d", got, left, want, leftOut)
			}
		}
	}
}

func TestPageGetsTheObservationsThatItWatches(t *testing.T) {
	s := serve(t, nil, (*site).claim, func(s *site) { s.service(event.Up, nil) })
	all, some := s.page(), s.page()
	all.next()
	some.next()
	at := time.Now()
	see := func(name string) {
		at = at.Add(time.Millisecond) // the same instant twice is the same check
		s.health(name, event.Up, at)
	}
	if f := some.watch("a/b c", "not there yet"); *f.Watching != 2 || len(f.Events) != 0 {
		t.Fatalf("the answer is %+v", f)
	}
	for range 3 {
		see("payment-service")
	}
	see("a/b c")
	all.until(map[string]int{"payment-service": 3, "a/b c": 1}, 0)
	some.until(map[string]int{"a/b c": 1}, 3)

	// Everything but observations comes, whatever is watched.
	s.service(event.Down, nil)
	s.incident("i1", 1, "payment-service", event.Opened{Error: "refused", Kind: "service", FirstBad: at}, event.ByLogstream)
	kinds := map[string]bool{}
	some.events(func(kind string, _ []byte) bool {
		kinds[kind] = true
		return kinds[view.KindService] && kinds[view.KindIncident] && kinds[view.KindAgent]
	})

	// What comes into view brings the newest that was missed; what stays does not.
	f := some.watch("payment-service", "a/b c")
	if got := f.observed(t); *f.Watching != 2 || !slices.Equal(got, []string{"payment-service"}) {
		t.Fatalf("the answer is %+v", f)
	}
	if got, want := decode[event.HealthLog](t, f.Events[0].Data).Timestamp, event.Seconds(at.Add(-time.Millisecond)); got != want {
		t.Errorf("it brings the observation of %v, want %v", got, want)
	}
	if f := some.watch("a/b c"); len(f.Events) != 0 {
		t.Errorf("less to watch brought %+v", f)
	}
	if f := some.watch(); f.Watching != nil || !slices.Equal(f.observed(t), []string{"payment-service"}) {
		t.Errorf("the end of a watch brought %+v", f)
	}
	see("payment-service")
	see("a/b c")
	some.until(map[string]int{"payment-service": 1, "a/b c": 1}, 0)

	if f := some.watch([]string{}...); f.Watching == nil || *f.Watching != 0 {
		t.Errorf("no names are %+v", f)
	}
	see("payment-service")
	some.until(map[string]int{}, 1)

	again := s.page() // a connection that is made again begins with all
	again.next()
	see("payment-service")
	again.until(map[string]int{"payment-service": 1}, 0)
}

func TestWatchMessages(t *testing.T) {
	names := func(n int, name string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("%s%d", name, i)
		}
		out, _ := json.Marshal(all)
		return `{"type":"watch","services":` + string(out) + `}`
	}
	tests := []struct {
		body  string
		is    bool
		names int    // -1: all
		wrong string // a part of why
	}{
		{`{"type":"watch","services":["a","b","a"]}`, true, 2, ""},
		{`{"services":[],"type":"watch"}`, true, 0, ""},
		{` {"type":"watch","services":null}`, true, -1, ""},
		{names(maxWatched, "s"), true, maxWatched, ""},
		{names(maxWatched, strings.Repeat("語", maxName-3)), true, maxWatched, ""}, // fits into maxInbound
		{names(maxWatched+1, "s"), true, 0, "at most 200"},
		{`{"type":"watch"}`, true, 0, `"services" is missing`},
		{`{"type":"watch","services":"a"}`, true, 0, "must be an array"},
		{`{"type":"watch","services":{"a":1}}`, true, 0, "must be an array"},
		{`{"type":"watch","services":[1]}`, true, 0, "must be an array"},
		{`{"type":"watch","services":[null]}`, true, 0, "1 to 128 characters"},
		{`{"type":"watch","services":[""]}`, true, 0, "1 to 128 characters"},
		{`{"type":"watch","services":["` + strings.Repeat("x", maxName+1) + `"]}`, true, 0, "1 to 128 characters"},
		{`{"type":"watch","service":["a"]}`, true, 0, `did you mean "services"`},
		{`{"type":"hello"}`, false, 0, ""},
		{`{"type":"watch","services":["a"],"services":null}`, false, 0, ""},
		{`{"type":"watch","services":["a"`, false, 0, ""},
		{`["watch"]`, false, 0, ""}, {`null`, false, 0, ""}, {``, false, 0, ""}, {"\x00\xff", false, 0, ""},
		{strings.Repeat("[", 100_000), false, 0, ""},
	}
	for _, tt := range tests {
		w, is, err := parseWatch([]byte(tt.body))
		size := len(w)
		if w == nil {
			size = -1
		}
		switch {
		case is != tt.is || (err != nil) != (tt.wrong != ""):
			t.Errorf("%.80s: %v, %v", tt.body, is, err)
		case err != nil && !strings.Contains(err.Error(), tt.wrong):
			t.Errorf("%.80s: %v, want %q", tt.body, err, tt.wrong)
		case is && err == nil && size != tt.names:
			t.Errorf("%.80s: %d names, want %d", tt.body, size, tt.names)
		case len(tt.body) > maxInbound:
			t.Errorf("%.80s: %d bytes", tt.body, len(tt.body))
		}
	}
}

func TestWrongWatchClosesTheConnection(t *testing.T) {
	s := serve(t, nil)
	p := s.page()
	p.next()
	for _, ignored := range []string{"hello", `{"type":"subscribe"}`, ""} {
		p.send(ignored)
	}
	if err := p.conn.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"watch","services":7}`)); err != nil {
		t.Fatal(err)
	}
	p.watch("a") // it is still served
	p.send(`{"type":"watch","services":` + strings.Repeat(" ", 1000) + `"` + strings.Repeat("语", 200) + `"}`)
	if err := p.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, _, err := p.conn.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) || !strings.Contains(err.Error(), "must be an array") {
				t.Errorf("disconnected with %v", err)
			}
			return
		}
	}
}

// Frames come compressed to who offers it, and a message that is small only while it is
// compressed is refused like any other.
func TestCompressedConnection(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	dialer := websocket.Dialer{HandshakeTimeout: wait, EnableCompression: true}
	conn, resp, err := dialer.Dial(strings.Replace(s.url, "http", "ws", 1)+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := resp.Header.Get("Sec-Websocket-Extensions"); !strings.Contains(got, "permessage-deflate") {
		t.Fatalf("extensions %q", got)
	}
	p := &page{t: t, conn: conn}
	if f := p.next(); f.Type != "snapshot" || len(f.Services) != 2 {
		t.Fatalf("snapshot = %+v", f)
	}
	s.health("payment-service", event.Up, time.Now())
	s.health("a/b c", event.Up, time.Now())
	p.until(map[string]int{"payment-service": 1, "a/b c": 1}, 0)
	p.watch("a/b c")
	s.health("payment-service", event.Up, time.Now())
	s.health("a/b c", event.Up, time.Now())
	p.until(map[string]int{"a/b c": 1}, 1)
	p.send(strings.Repeat(" ", 4*maxInbound)) // a few kilobytes on their way
	p.isClosed(websocket.CloseMessageTooBig)
}

// More watches than the limit are not lost, for the last one is what counts: they are
// read later.
func TestLastOfManyWatchesCounts(t *testing.T) {
	s := serve(t, nil)
	p := s.page()
	p.next()
	for i := range watchBurst + 5 {
		p.send(fmt.Sprintf(`{"type":"watch","services":["s%d"]}`, i))
	}
	p.send(`{"type":"watch","services":["a/b c","x","y"]}`)
	for {
		if f := p.next(); f.Part && *f.Watching == 3 {
			break
		}
	}
	s.health("payment-service", event.Up, time.Now())
	s.health("a/b c", event.Up, time.Now())
	p.until(map[string]int{"a/b c": 1}, 1)
}

func TestSlowClientThatWatches(t *testing.T) {
	l := loopFor(t)
	c := currentClient(l)
	l.watch(c, watched{"payment-service": true}) // whose answer waits when the client stalls
	see := func(name string) {
		l.changed(true, []view.Change{{Kind: view.KindHealth, Data: view.Observation{HealthLog: event.HealthLog{Service: name, Status: event.Up}}}})
	}
	for range queueLen + 1 {
		see("payment-service")
		l.broadcast()
	}
	if o := <-c.queue; !o.dropped() {
		t.Fatalf("for the slow client waits %+v", o)
	}
	l.resume(c)
	l.broadcast()
	if f := sent(t, c); f.Type != "snapshot" || f.Seq != queueLen+1 {
		t.Fatalf("the slow client gets %+v", f)
	}
	if f := sent(t, c); !f.Part || f.Seq != queueLen+1 || *f.Watching != 1 || len(f.Events) != 0 {
		t.Errorf("the answer is %+v", f)
	}
	see("payment-service")
	see("a/b c")
	l.frameAt = now().Add(time.Hour) // as if a frame was made a moment ago
	l.watch(c, watched{})            // the frame that waits is joined by what is watched when it is made
	l.watch(c, watched{"payment-service": true})
	l.broadcast()
	if f := sent(t, c); f.Seq != queueLen+2 || f.LeftOut != 1 || !slices.Equal(f.observed(t), []string{"payment-service"}) {
		t.Errorf("after that it gets %+v", f)
	}
	if f := sent(t, c); !f.Part || f.Seq != queueLen+2 || *f.Watching != 1 || len(f.Events) != 0 {
		t.Errorf("the answer is %+v", f)
	}
}

// FuzzWatch: whatever a client sends, it is ignored, refused, or within bounds.
func FuzzWatch(f *testing.F) {
	for _, seed := range []string{`{"type":"watch","services":["a"]}`, `{"type":"watch","services":null}`, `{"type":"watch","services":[1]}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w, is, err := parseWatch(body)
		if len(w) > maxWatched || !is && (w != nil || err != nil) {
			t.Errorf("%d names, %v, %v", len(w), is, err)
		}
	})
}
