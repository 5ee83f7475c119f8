package dashboard

import (
	"context"
	"time"

	"logstream/dashboard/hook"
	"logstream/dashboard/metrics"
	"logstream/dashboard/view"
	"logstream/internal/event"
)

const (
	paceOfFew  = 50 * time.Millisecond  // the least time between two frames
	paceOfMany = 100 * time.Millisecond // with more than fewClients: a frame costs each of them a write
	fewClients = 50
	maxBatch   = 4000 // changes in a frame: beyond, every client gets a snapshot
	maxSeen    = 1000 // observations in a frame: beyond, they are left out
	tickEvery  = time.Second
	maxClients = 1024

	// snapshotEvery is the least time between two snapshots that are made only for
	// clients that fell behind.
	snapshotEvery = time.Second
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

	// acting are the ids of signed links, and the requests for approval (answerKey),
	// whose command is being recorded.
	acting map[string]bool

	clients    map[*client]struct{}
	seq        uint64
	batch      []view.Change
	health     int  // observations in batch
	resync     bool // instead of batch every client gets a snapshot
	flush      *time.Timer
	armed      bool
	frameAt    time.Time // when the newest frame was made
	snapshotAt time.Time // when the newest snapshot was made
}

func newLoop(r *run) *loop {
	d := r.deps
	at := now()
	l := &loop{
		calls: r.calls, began: at, live: map[string]bool{}, acting: map[string]bool{}, clients: map[*client]struct{}{}, repeats: hook.NewRepeats(d.Hooks),
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
	l.arm(l.pace())
}
