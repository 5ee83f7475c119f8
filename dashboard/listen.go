package dashboard

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Listen takes the address, so that nothing else has it when the actors run.
// The error says why it cannot be bound and how to fix that; errors.Is finds
// syscall.EADDRINUSE where another program uses it. Run listens by itself where
// this was not called.
func (d *Dashboard) Listen() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listen()
}

func (d *Dashboard) listen() error {
	if d.listener != nil {
		return nil
	}
	if c := d.deps.Config.TLS; c.on() && d.certificate == nil {
		cert := &certificate{of: c, log: d.deps.Logger}
		if err := cert.load(); err != nil {
			return fmt.Errorf("dashboard: the certificate in dashboard.tls.cert (%s) cannot be used: %w", c.Cert, err)
		}
		d.certificate = cert
	}
	address := d.address // the same port as before, where the configuration leaves it open
	if address == "" {
		address = d.deps.Config.Listen
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("dashboard: listen on %s: %w; %s", address, cause(err), remedy(err))
	}
	if tcp, is := ln.Addr().(*net.TCPAddr); !d.deps.Config.access().Guarded() && (!is || !tcp.IP.IsLoopback()) {
		_ = ln.Close() // no connection was accepted
		return fmt.Errorf("dashboard: listen on %s: it %s", d.deps.Config.Listen, beyondLoopback)
	}
	d.listener, d.address = ln, ln.Addr().String()
	return nil
}

// Addr is where the page is, such as 127.0.0.1:5000; empty before Listen.
func (d *Dashboard) Addr() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.address
}

// URL is the address of the page for people, such as https://127.0.0.1:5000/logstream.
func (d *Dashboard) URL() string { return d.deps.Config.URL(d.Addr()) }

// take is the bound listener, bound again where an earlier Run used it.
func (d *Dashboard) take() (net.Listener, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.listen(); err != nil {
		return nil, err
	}
	ln := d.listener
	d.listener = nil
	return ln, nil
}

// cause is the system's own error for why an address cannot be bound.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err
}

func remedy(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program is listening there: stop it, or set another port in dashboard.listen"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address: set dashboard.listen to one that it has, such as 127.0.0.1:5000"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 need root or CAP_NET_BIND_SERVICE: set a higher port in dashboard.listen"
	case errors.As(err, &dns):
		return "the name cannot be resolved: set dashboard.listen to an address, such as 127.0.0.1:5000"
	}
	return "set dashboard.listen to an address and a port, such as 127.0.0.1:5000"
}
