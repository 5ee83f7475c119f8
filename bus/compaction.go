package bus

import (
	"github.com/IBM/sarama"

	"logstream/internal/event"
	"logstream/internal/state"
)

// compaction holds back what was on a topic at the start, so that of each thing
// only the newest version is handled: a service is published each hour, and a
// start would read all of it many times over. What is handled is what was there,
// in its order, without the versions that others replace.
type compaction struct {
	held []consumed
	of   map[string]*version
}

// consumed is a record as it was read, or empty where another one has replaced it.
type consumed struct {
	message *sarama.ConsumerMessage
	record  event.Record
}

// version is the newest of a thing, and where it is held.
type version struct {
	state.Order
	at int
}

// hold takes a record; one that is no newer than what is held changes nothing.
func (c *compaction) hold(r consumed, v event.Version) {
	newest := c.of[v.Of]
	switch {
	case newest == nil:
		if c.of == nil {
			c.of = map[string]*version{}
		}
		newest = &version{}
		newest.Next(v.Epoch, v.Revision)
		c.of[v.Of] = newest
	case !newest.Next(v.Epoch, v.Revision):
		return
	default:
		c.held[newest.at] = consumed{}
	}
	newest.at = len(c.held)
	c.held = append(c.held, r)
}

// release is what is held, in order; after that nothing is.
func (c *compaction) release() []consumed {
	held := c.held
	*c = compaction{}
	return held
}
