package dashboard

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

func TestChangesAreBatched(t *testing.T) {
	s := serve(t, nil, (*site).claim)
	p := s.page()
	p.next()
	begin := time.Now()
	for i := range 500 { // each at an instant of its own: the same one twice is the same check
		s.health("payment-service", event.Up, begin.Add(time.Duration(i)*time.Millisecond))
	}
	frames, events := 0, 0
	for events < 500 {
		f := p.next()
		if f.Type == "snapshot" { // the machine is busy, and the page fell behind
			break
		}
		frames++
		events += len(f.Events)
	}
	if most := int(time.Since(begin)/paceOfFew) + 2; frames > most {
		t.Errorf("500 changes came in %d frames, more than %d", frames, most)
	}
}

// A client that takes nothing loses its queue, gets a snapshot when it takes frames
// again, and delays no other client. Meanwhile no frame is made for it.
func TestSlowClientGetsASnapshot(t *testing.T) {
	l := loopFor(t)
	slow, fast := currentClient(l), currentClient(l)
	for seq := uint64(1); seq <= queueLen+5; seq++ {
		l.changed(true, []view.Change{{Kind: view.KindAgent, Data: view.Agent{}}})
		l.broadcast()
		if f := sent(t, fast); f.Type != "events" || f.Seq != seq {
			t.Fatalf("the fast client gets %+v", f)
		}
	}
	if n := len(slow.queue); n != 1 {
		t.Fatalf("%d frames wait for the slow client, want the note that they were dropped", n)
	}
	if o := <-slow.queue; !o.dropped() {
		t.Fatalf("for the slow client waits %+v", o)
	}
	l.resume(slow)
	l.resume(slow) // which changes nothing
	l.broadcast()
	if f := sent(t, slow); f.Type != "snapshot" || f.Seq != queueLen+5 {
		t.Errorf("the slow client gets %+v", f)
	}
	l.changed(true, []view.Change{{Kind: view.KindAgent, Data: view.Agent{}}})
	l.broadcast()
	for _, c := range []*client{slow, fast} {
		if f := sent(t, c); f.Type != "events" || f.Seq != queueLen+6 || len(c.queue) != 0 {
			t.Errorf("after that a client gets %+v", f)
		}
	}
}

// Clients that fell behind share one snapshot, and there is at most one each snapshotEvery,
// whatever their number. A new client does not wait for it.
func TestSnapshotIsSharedByAllWhoFellBehind(t *testing.T) {
	l := loopFor(t)
	var slow []*client
	for range 50 {
		slow = append(slow, currentClient(l))
	}
	fall := func() {
		for _, c := range slow {
			c.stage = resumed
		}
	}
	fall()
	l.broadcast()
	first := (<-slow[0].queue).message
	for _, c := range slow[1:] {
		if o := <-c.queue; o.message != first {
			t.Fatal("a snapshot was encoded for one client")
		}
	}
	fall()
	l.broadcast()
	for _, c := range slow {
		if len(c.queue) != 0 {
			t.Fatal("the next snapshot came at once")
		}
	}
	if !l.armed {
		t.Fatal("they are forgotten")
	}
	l.snapshotAt = l.snapshotAt.Add(-snapshotEvery)
	l.broadcast()
	if o := <-slow[0].queue; o.message == nil || o.message == first {
		t.Error("no new snapshot came after its time")
	}
	fall()
	fresh := newClient()
	l.join(fresh)
	l.broadcast()
	if f := sent(t, fresh); f.Type != "snapshot" {
		t.Errorf("who comes new gets %+v", f)
	}
	if len(slow[0].queue) == 0 {
		t.Error("the snapshot was not shared")
	}
}

// A thousand pages that reconnect at once share one snapshot in each pace.
func TestPagesThatReconnectAtOnceShareASnapshot(t *testing.T) {
	l := loopFor(t)
	l.frameAt = now().Add(time.Hour) // as if a frame was made a moment ago
	all := map[*message]bool{}
	var clients []*client
	for range 100 {
		c := newClient()
		l.join(c)
		clients = append(clients, c)
	}
	l.broadcast()
	for _, c := range clients {
		all[(<-c.queue).message] = true
	}
	if len(all) != 1 {
		t.Errorf("100 pages got %d snapshots", len(all))
	}
}

// currentClient is one that has everything so far.
func currentClient(l *loop) *client {
	c := newClient()
	c.stage = current
	l.clients[c] = struct{}{}
	return c
}

// sent is the next frame of a client's queue.
func sent(t *testing.T, c *client) frame {
	t.Helper()
	select {
	case o := <-c.queue:
		return decode[frame](t, o.bytes())
	default:
		t.Fatal("nothing waits for the client")
		return frame{}
	}
}

func (o outgoing) bytes() []byte {
	if o.message != nil {
		return o.message.body
	}
	var body bytes.Buffer
	o.writeTo(&body)
	return body.Bytes()
}

func loopFor(t *testing.T) *loop {
	t.Helper()
	s := open(t, nil)
	l := newLoop(&run{deps: s.deps, calls: make(chan func(*loop)), metrics: newMetrics(s.deps)})
	l.parts = (&run{deps: s.deps}).collect(t.Context())
	return l
}

func TestFloodBecomesASnapshot(t *testing.T) {
	l := loopFor(t)
	c := currentClient(l)
	for range maxBatch + 1 {
		l.changed(true, []view.Change{{Kind: view.KindAgent, Data: view.Agent{}}})
	}
	l.broadcast()
	if f := sent(t, c); f.Type != "snapshot" {
		t.Errorf("%d changes made a frame %q", maxBatch+1, f.Type)
	}
	for range 10 * maxSeen {
		l.changed(true, []view.Change{{Kind: view.KindHealth, Data: view.Observation{}}})
	}
	l.broadcast()
	if f := sent(t, c); f.Type != "events" || len(f.Events) != maxSeen {
		t.Errorf("a flood of observations made a %q of %d", f.Type, len(f.Events))
	}
}

func TestNumberOfPagesIsLimited(t *testing.T) {
	l := loopFor(t)
	for i := range maxClients {
		if !l.join(newClient()) {
			t.Fatalf("no room for page %d", i)
		}
	}
	if l.join(newClient()) {
		t.Errorf("page %d was let in", maxClients+1)
	}
}

func TestEventsAreObjects(t *testing.T) {
	frame := newBatch(7, []view.Change{{Kind: "incident", Data: view.IncidentEvent{
		Incident: event.Incident{ID: "i", Seq: 1, Type: event.TypeOpened, Data: event.Opened{Kind: "service"}, Origin: origin}, State: "open"}}}).all.body
	var got struct {
		Type   string
		Seq    int
		Events []struct {
			Kind string
			Data map[string]any
		}
	}
	if err := json.Unmarshal(frame, &got); err != nil {
		t.Fatal(err)
	}
	data := got.Events[0].Data
	if got.Type != "events" || got.Seq != 7 || data["id"] != "i" || data["state"] != "open" || data["nonce"] != nonce || data["type"] != "opened" {
		t.Errorf("frame = %s", frame)
	}
}
