package dashboard

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

// TestManyWatchesAreOneAnswer has 50 clients send watches without pause: between two
// frames each gets one answer, about its last watch, and a client that sends none gets
// what it gets without them.
func TestManyWatchesAreOneAnswer(t *testing.T) {
	l := loopFor(t)
	at := now()
	for i := range 40 {
		observe(l, fmt.Sprintf("s%d", i), at)
	}
	normal := currentClient(l)
	var hostile []*client
	for range 50 {
		hostile = append(hostile, currentClient(l))
	}
	for frames := uint64(1); frames <= 3; frames++ {
		l.frameAt = now().Add(time.Hour) // as if a frame was made a moment ago
		for range 200 {
			for i, c := range hostile {
				l.watch(c, watched{})
				l.watch(c, watched{fmt.Sprintf("s%d", i%40): true, "s1": true})
			}
		}
		for _, c := range append(hostile, normal) {
			if len(c.queue) != 0 {
				t.Fatal("a frame was made for one client")
			}
		}
		l.changed(true, []view.Change{{Kind: view.KindAgent, Data: view.Agent{}}})
		l.broadcast()
		for i, c := range hostile {
			if f := sent(t, c); f.Type != "events" || f.Seq != frames || f.Part {
				t.Fatalf("client %d gets %+v", i, f)
			}
			f := sent(t, c)
			if want := len(watched{fmt.Sprintf("s%d", i%40): true, "s1": true}); !f.Part || f.Seq != frames || *f.Watching != want {
				t.Fatalf("client %d gets the answer %+v", i, f)
			}
			if len(c.queue) != 0 {
				t.Fatalf("%d more frames wait for client %d", len(c.queue), i)
			}
		}
		if f := sent(t, normal); f.Seq != frames || len(normal.queue) != 0 {
			t.Fatalf("the normal client gets %+v and %d more", f, len(normal.queue))
		}
	}
}

func observe(l *loop, name string, at time.Time) {
	l.fleet.ApplyHealth(event.HealthLog{Timestamp: event.Seconds(at), Service: name, Status: event.Up, Check: "http"}, false, at, at)
}

// TestObservationsOfAnswersAreEncodedOnce has clients come from different watches to
// the same: the observations in their answers are the same bytes.
func TestObservationsOfAnswersAreEncodedOnce(t *testing.T) {
	l := loopFor(t)
	at := now()
	for _, name := range []string{"a", "b", "c", "d"} {
		observe(l, name, at)
	}
	tests := []struct{ before, after, brings watched }{
		{watched{}, watched{"a": true, "b": true}, watched{"a": true, "b": true}},
		{watched{"a": true}, watched{"a": true, "b": true}, watched{"b": true}},
		{watched{"b": true}, nil, watched{"a": true, "c": true, "d": true}},
		{nil, watched{"a": true}, watched{}},
		{watched{"a": true, "c": true}, watched{"c": true, "d": true, "e": true}, watched{"d": true}},
	}
	var clients []*client
	for _, tt := range tests {
		c := currentClient(l)
		c.watch, c.had = tt.before, tt.before
		clients = append(clients, c)
	}
	l.frameAt = now().Add(time.Hour)
	for i, c := range clients {
		l.watch(c, tests[i].after)
	}
	l.broadcast()
	var first *batch
	for i, c := range clients {
		o := <-c.queue
		if first == nil {
			first = o.batch
		}
		if o.message != nil || o.batch != first {
			t.Errorf("an answer was encoded for client %d alone", i)
		}
		got := decode[frame](t, o.bytes()).observed(t)
		want := []string{}
		for name := range tests[i].brings {
			want = append(want, name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the answer to client %d brings %v, want %v", i, got, want)
		}
	}
}

// TestClientsThatWatchWithoutPauseDelayNobody has 50 connections send watches as fast as
// they can. The frames of another page are counted in answers of theirs, of which one
// comes with each frame at most: what it waits for takes a few frames, and no more.
func TestClientsThatWatchWithoutPauseDelayNobody(t *testing.T) {
	const clients, rounds, most = 50, 20, 5
	s := serve(t, nil, (*site).claim)
	p := s.page()
	p.next()
	var answers atomic.Int64
	var hostile sync.WaitGroup
	defer hostile.Wait()
	var conns []*websocket.Conn
	for range clients {
		conns = append(conns, s.page().conn)
	}
	for i, conn := range conns {
		defer conn.Close()                                                            // ends both
		if err := conn.NetConn().(*net.TCPConn).SetWriteBuffer(4 << 10); err != nil { // what waits there is sent for nothing
			t.Fatal(err)
		}
		hostile.Go(func() {
			for _, body, err := conn.ReadMessage(); err == nil; _, body, err = conn.ReadMessage() {
				if bytes.Contains(body, []byte(`"part":true`)) {
					answers.Add(1)
				}
			}
		})
		hostile.Go(func() {
			for n := 0; ; n++ {
				services := []string{"[]", `["payment-service"]`, `["a/b c"]`, "null"}[(n+i)%4]
				if conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"watch","services":`+services+`}`)) != nil {
					return
				}
			}
		})
	}
	s.eventually("each is answered", func() bool { return answers.Load() >= clients })
	began := answers.Load()
	for i := range rounds {
		at := time.Now().Add(time.Duration(i) * time.Microsecond)
		s.health("payment-service", event.Up, at)
		for {
			if f := p.next(); f.Type == "snapshot" {
				t.Fatal("the page fell behind")
			} else if slices.Contains(f.observed(t), "payment-service") {
				break
			}
		}
	}
	n := answers.Load() - began
	t.Logf("%d answers for %d frames of another page", n, rounds)
	if n > clients*rounds*most {
		t.Errorf("while one page got %d frames, %d clients got %d answers", rounds, clients, n)
	}
}
