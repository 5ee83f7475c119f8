package dashboard

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many are open, so that who opens them without end takes
// neither the files nor the memory that checks and repairs need. Those of WebSockets
// are bounded by maxClients.
type connections struct {
	most int

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // nil: its request is being answered
	waiting list.List                  // of net.Conn that wait for a request, the longest first
}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*list.Element{}}
}

// state is http.Server's ConnState. For a connection that is one too many the one goes
// that has waited for a request for longest: browsers open another when they need it.
func (c *connections) state(conn net.Conn, is http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if place := c.open[conn]; place != nil {
		c.waiting.Remove(place)
	}
	switch is {
	case http.StateNew, http.StateIdle:
		c.open[conn] = c.waiting.PushBack(conn)
	case http.StateActive:
		c.open[conn] = nil
	default:
		delete(c.open, conn)
	}
	if is != http.StateNew || len(c.open) <= c.most {
		return
	}
	longest := c.waiting.Remove(c.waiting.Front()).(net.Conn) // there is one: conn itself waits
	delete(c.open, longest)
	if secured, is := longest.(*tls.Conn); is {
		longest = secured.NetConn() // without a farewell, which could take long
	}
	_ = longest.Close() // its reader sees it
}
