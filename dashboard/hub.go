package dashboard

import (
	"time"

	"logstream/dashboard/view"
)

// pace is how far frames are apart.
func (l *loop) pace() time.Duration {
	if len(l.clients) > fewClients {
		return paceOfMany
	}
	return paceOfFew
}

// arm has a frame made after d, unless one is due already.
func (l *loop) arm(d time.Duration) {
	if !l.armed {
		l.armed = true
		l.flush.Reset(d)
	}
}

// broadcast makes one frame of the batch, for all clients that have everything
// before it, answers those that sent a watch, and makes snapshots for those that want
// one.
func (l *loop) broadcast() {
	changes, resync := l.batch, l.resync
	l.batch, l.health, l.resync = nil, 0, false
	if len(l.clients) == 0 {
		return
	}
	l.frameAt = now()
	if len(changes) > 0 || resync {
		l.seq++
		l.push(changes, resync)
	}
	l.answer(changes)
	l.sendSnapshots()
}

// push hands the changes to every client that is current; with resync those get a
// snapshot instead.
func (l *loop) push(changes []view.Change, resync bool) {
	var b *batch // encoded if anyone takes it
	for c := range l.clients {
		if c.stage != current {
			continue // its snapshot will have these changes
		}
		if resync {
			c.stage = joined
			continue
		}
		if b == nil {
			b = newBatch(l.seq, changes)
		}
		c.offer(b.outgoing(c.watch))
	}
}

// sendSnapshots gives one snapshot to all clients that need one. A client that just
// joined gets it at once; those that fell behind get one at most each snapshotEvery, so
// that their number does not change what they cost.
func (l *loop) sendSnapshots() {
	wanted := map[stage]int{}
	for c := range l.clients {
		wanted[c.stage]++
	}
	if wanted[joined] == 0 && wanted[resumed] == 0 {
		return
	}
	if wanted[joined] == 0 && l.frameAt.Sub(l.snapshotAt) < snapshotEvery {
		l.arm(l.pace()) // until it is time
		return
	}
	l.snapshotAt = l.frameAt
	snapshot := outgoing{message: prepared(l.snapshot())}
	for c := range l.clients {
		if c.stage == joined || c.stage == resumed {
			c.stage = current
			c.offer(snapshot)
			if c.had = c.watch; c.unanswered && c.stage == current { // else its snapshot did not fit
				c.answer(newestOf(l.seq, nil))
			}
		}
	}
}

// join adds a client, which gets a snapshot first, within a pace; false where
// there are too many.
func (l *loop) join(c *client) bool {
	if len(l.clients) >= maxClients {
		return false
	}
	l.clients[c] = struct{}{}
	l.soon()
	return true
}

// resume is called when a client that was stalled takes frames again.
func (l *loop) resume(c *client) {
	if c.stage == stalled {
		c.stage = resumed
		l.soon()
	}
}

// soon makes a frame at once, or one pace after the newest one.
func (l *loop) soon() {
	if left := l.pace() - now().Sub(l.frameAt); left > 0 {
		l.arm(left)
		return
	}
	l.broadcast()
}

func (l *loop) leave(c *client) { delete(l.clients, c) }

// watch changes which observations a client is sent. It is answered with the next
// frame, or after its snapshot, which has the page load everything again.
func (l *loop) watch(c *client, w watched) {
	c.watch, c.watches, c.unanswered = w, true, true
	if c.stage == current {
		l.soon()
	}
}
