package bus

import (
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"logstream/internal/health"
)

// proxy stands between clients and a broker that advertises the proxy's
// address.
type proxy struct {
	net.Listener

	mu      sync.Mutex
	target  string
	changed sync.Cond
	conns   map[net.Conn]bool
	refuse  bool // close every connection
	mute    bool // swallow what the broker answers
	stall   bool // pass nothing on, and close nothing
}

// advertised is the broker's listener: it is reached through the proxy.
type advertised struct {
	net.Listener
	addr net.Addr
}

func (a advertised) Addr() net.Addr { return a.addr }

// newProxy is a proxy that leads nowhere yet.
func newProxy(t *testing.T) *proxy {
	t.Helper()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: front, conns: map[net.Conn]bool{}}
	p.changed.L = &p.mu
	go p.serve()
	t.Cleanup(func() {
		p.cut()
		front.Close()
	})
	return p
}

// kafka starts a broker of its own behind a proxy.
func kafka(t *testing.T, options ...kfake.Opt) (*kfake.Cluster, *proxy) {
	t.Helper()
	var cluster *kfake.Cluster
	t.Cleanup(func() {
		if cluster != nil {
			cluster.Close()
		}
	})
	p := newProxy(t)
	options = append(options, kfake.NumBrokers(1), kfake.ListenFn(func(network, _ string) (net.Listener, error) { return p.back() }))
	var err error
	if cluster, err = kfake.NewCluster(options...); err != nil {
		t.Fatal(err)
	}
	return cluster, p
}

// back is a listener for a broker behind the proxy.
func (p *proxy) back() (net.Listener, error) {
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.lead(back.Addr().String())
	return advertised{back, p.Addr()}, nil
}

// lead says where the broker is.
func (p *proxy) lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// openAt opens a bus on configured brokers.
func openAt(t *testing.T, addr string) (*Bus, *health.Registry, func()) {
	t.Helper()
	c := testConfig(t.TempDir())
	c.Brokers = Addresses{addr}
	return open(t, c)
}

func (p *proxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target := p.target
		p.mu.Unlock()
		broker, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		refused := p.refuse
		p.conns[client], p.conns[broker] = true, true
		p.mu.Unlock()
		if refused {
			p.drop(client, broker)
			continue
		}
		go p.pass(broker, client, false)
		go p.pass(client, broker, true)
	}
}

func (p *proxy) pass(to, from net.Conn, answers bool) {
	defer p.drop(to, from)
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		for p.stall && !p.refuse {
			p.changed.Wait()
		}
		muted := answers && p.mute
		p.mu.Unlock()
		if muted {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}

func (p *proxy) set(refuse, mute, stall bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.mute, p.stall = refuse, mute, stall
	if refuse {
		for c := range p.conns {
			c.Close()
		}
	}
	p.changed.Broadcast()
}

func (p *proxy) cut()     { p.set(true, false, false) }
func (p *proxy) swallow() { p.set(false, true, false) }
func (p *proxy) freeze()  { p.set(false, false, true) }
func (p *proxy) restore() { p.set(false, false, false) }
