package dashboard

import (
	"context"
	"encoding/json"
	"time"

	"logstream/dashboard/hook"
	"logstream/dashboard/metrics"
	"logstream/dashboard/view"
	"logstream/internal/event"
)

const (
	batchFor   = 50 * time.Millisecond // frames are at least so far apart
	maxBatch   = 4000                  // changes in a frame: beyond, every client gets a snapshot
	maxSeen    = 1000                  // observations in a frame: beyond, they are left out
	tickEvery  = time.Second
	queueLen   = 64 // frames that wait for a client
	maxClients = 256
)

// loop owns the folds and the clients. Everything in it belongs to the
// goroutine of its run.
type loop struct {
	calls    <-chan func(*loop)
	fleet    *view.Fleet
	parts    Info // what the parts said last
	sentInfo []byte
	began    time.Time
	repeats  *hook.Repeats
	metrics  *metrics.Metrics
	live     map[string]bool // topics that were read to the end seen at the start

	clients map[*client]struct{}
	seq     uint64
	batch   []view.Change
	health  int  // observations in batch
	resync  bool // instead of batch every client gets a snapshot
	flush   *time.Timer
	armed   bool
}

func newLoop(r *run) *loop {
	d := r.deps
	at := now()
	l := &loop{
		calls: r.calls, began: at, live: map[string]bool{}, clients: map[*client]struct{}{}, repeats: hook.NewRepeats(d.Hooks),
		metrics: r.metrics,
		fleet:   view.NewFleet(d.Identity.Instance, d.Identity.Host, d.Services(), d.Limits, at),
		flush:   time.NewTimer(time.Hour),
	}
	l.flush.Stop()
	return l
}

func (l *loop) run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	defer l.flush.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case call := <-l.calls:
			call(l)
		case <-tick.C:
			l.changed(true, l.fleet.Tick(now()))
			l.infoChanged() // a hold may have ended
		case <-l.flush.C:
			l.armed = false
			l.broadcast()
		}
	}
}

// caughtUp says whether all that was on the log at the start was read.
func (l *loop) caughtUp() bool {
	for _, level := range event.Levels {
		if !l.live[level.Topic] {
			return false
		}
	}
	return l.live[event.TopicIncidents] && l.live[event.TopicServices] && l.live[event.TopicHealth] && l.live[event.TopicCommands]
}

// changed puts changes into the next frame. Those of a topic that is still
// being caught up are in the snapshot at its end.
func (l *loop) changed(live bool, changes []view.Change) {
	if !live || len(changes) == 0 || len(l.clients) == 0 {
		return
	}
	for _, c := range changes {
		switch {
		case c.Kind == view.KindResync || len(l.batch) >= maxBatch:
			l.resync = true
		case c.Kind == view.KindHealth:
			if l.health++; l.health <= maxSeen {
				l.batch = append(l.batch, c)
			}
		default:
			l.batch = append(l.batch, c)
		}
	}
	l.arm()
}

func (l *loop) arm() {
	if !l.armed {
		l.armed = true
		l.flush.Reset(batchFor)
	}
}

// broadcast sends the batch as one frame to every client.
func (l *loop) broadcast() {
	batch, resync := l.batch, l.resync
	l.batch, l.health, l.resync = nil, 0, false
	if len(l.clients) == 0 || len(batch) == 0 && !resync {
		return
	}
	l.seq++
	var frame []byte
	if !resync {
		frame = encode(eventsFrame{"events", l.seq, batch})
	} else {
		frame = l.snapshot()
	}
	var snapshot []byte // made once for all who fell behind
	for c := range l.clients {
		if c.offer(frame) {
			continue
		}
		if snapshot == nil {
			snapshot = l.snapshot()
		}
		c.replace(snapshot)
	}
}

type eventsFrame struct {
	Type   string        `json:"type"`
	Seq    uint64        `json:"seq"`
	Events []view.Change `json:"events"`
}

type snapshotFrame struct {
	Type      string          `json:"type"`
	Seq       uint64          `json:"seq"`
	Services  []view.Service  `json:"services"`
	Incidents []view.Incident `json:"incidents"`
	Thinking  []view.Thought  `json:"thinking"` // models that are queried now
	Agent     view.Agent      `json:"agent"`
	Info      Info            `json:"info"`
}

// snapshot is everything as it is now, which is what the frames up to seq and
// the changes that wait for the next one have made of it.
func (l *loop) snapshot() []byte {
	at := now()
	return encode(snapshotFrame{"snapshot", l.seq, l.fleet.Services(at), l.fleet.Recent(at), l.fleet.Thoughts(), l.fleet.Agent(at), l.info()})
}

// join adds a client, and gives it its first frame; false where there are too
// many.
func (l *loop) join(c *client) bool {
	if len(l.clients) >= maxClients {
		return false
	}
	l.broadcast() // what waits belongs before the snapshot
	l.clients[c] = struct{}{}
	c.offer(l.snapshot())
	return true
}

func (l *loop) leave(c *client) { delete(l.clients, c) }

// encode writes what the API and the frames are made of.
func encode(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic("dashboard: encode: " + err.Error()) // a bug: these are our own types
	}
	return out
}
