//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/e2e/engine"
	"logstream/internal/event"
)

// path is the way of the prober to its services: a port for each, that leads to a
// container while the path is whole.
type path struct {
	mu    sync.Mutex
	whole bool
	ways  []*way
	conns map[net.Conn]bool
}

// way is the path to one service.
type way struct {
	listener net.Listener
	to       string
}

// lead is a new address that leads to a service.
func (p *path) lead(t *testing.T, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{l, strings.TrimPrefix(to, "http://")}
	p.ways = append(p.ways, w)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.forward(conn, w.to)
		}
	}()
	return "http://" + l.Addr().String()
}

// forward carries one connection. Where the path is cut it is taken, and nothing
// comes through.
func (p *path) forward(from net.Conn, to string) {
	defer from.Close()
	p.mu.Lock()
	p.conns[from] = true
	whole := p.whole
	p.mu.Unlock()
	if !whole {
		_, _ = io.Copy(io.Discard, from)
		return
	}
	target, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer target.Close()
	go func() { _, _ = io.Copy(target, from); target.Close() }()
	_, _ = io.Copy(from, target)
}

// set makes the path whole, or cuts it. Connections that there are end.
func (p *path) set(whole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.whole = whole
	for conn := range p.conns {
		conn.Close()
	}
	clear(p.conns)
}

// TestABlindObserverTouchesNothing: thirty services, ten of them in containers, all
// behind one path that is cut and comes back. The engine reports nothing, one
// incident says why, and all of it ends by itself.
func TestABlindObserverTouchesNothing(t *testing.T) {
	t.Parallel()
	engines.Each(t, blindObserver)
}

func blindObserver(t *testing.T, docker *engine.Engine) {
	const inContainers, all = 10, 30
	way := &path{whole: true, conns: map[net.Conn]bool{}}
	var services strings.Builder
	var urls, names []string
	for i := range all {
		name := fmt.Sprintf("blind-%d", i)
		names = append(names, name)
		if i < inContainers {
			url := container(t, docker, name)
			urls = append(urls, url)
			services.WriteString(yaml(name, way.lead(t, url), fmt.Sprintf(", interval: %ds", 1+i%3)))
			continue
		}
		fmt.Fprintf(&services, "  - {name: %s, url: %q, interval: %ds}\n", name, way.lead(t, urls[i%inContainers]), 1+i%3)
	}
	d := configured(t, docker.Host(), "", services.String()).start()
	for _, name := range names {
		d.up(name)
	}
	since := time.Now()
	way.set(false)
	in := d.newest(60*time.Second, event.ReservedService, "is held by the gate blind", heldBy("blind"))
	if opened := in.Events[0].Data.(event.Opened); opened.Kind != "fleet" || !strings.HasPrefix(opened.Error, "The observer is blind: ") {
		t.Errorf("it was opened as %+v", opened)
	}
	for _, name := range names {
		d.newest(60*time.Second, name, "is held by the gate blind", heldBy("blind"))
	}
	d.kill() // kill -9: another life of the process knows it too
	d.start()
	quiet := time.Now()
	d.until(90*time.Second, "twenty seconds of a new life are over", func() bool { return time.Since(quiet) > 20*time.Second })
	if got := d.incidents(event.ReservedService); len(got) != 1 || got[0].ID != in.ID || got[0].State != "open" {
		t.Errorf("the incidents of the fleet are %+v", got)
	}
	// What Docker shows to be stopped is started meanwhile.
	docker.Docker(t, "kill", "blind-3")
	d.until(30*time.Second, "it is started", func() bool { return engineActions(t, docker, "blind-3", since, "start") == 1 })

	way.set(true)
	d.newest(90*time.Second, event.ReservedService, "is resolved", resolved)
	for _, name := range names {
		whole := d.newest(90*time.Second, name, "is resolved", resolved)
		if name != "blind-3" && (len(actions(whole)) != 0 || how(whole) != event.HowRecovered) {
			t.Errorf("%s: actions %v, how %q: want none, recovered", name, actions(whole), how(whole))
		}
	}
	for _, name := range names[:inContainers] {
		for _, action := range []string{"kill", "stop", "die", "start", "restart", "pause", "unpause"} {
			if n := engineActions(t, docker, name, since, action); n != 0 && name != "blind-3" {
				t.Errorf("the engine reports %d %s of %s", n, action, name)
			}
		}
	}
}
