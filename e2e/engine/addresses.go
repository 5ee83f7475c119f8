//go:build e2e

package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// Two networks of the machine with the same addresses are one to a client that dials
// them: what is sent to a container of the one reaches that of the other. So
// each engine has addresses of its own, and the engines choose further ones one
// after another.

// Subnet is a network of 256 addresses that no other engine has, and no other
// Subnet of this one with another n (0 to 99).
func (e *Engine) Subnet(n int) string {
	a := e.own.prefix.Addr().As4()
	return fmt.Sprintf("%d.%d.%d.0/24", a[0], a[1], 100+n)
}

// Address is the one of Subnet(n) that ends with last.
func (e *Engine) Address(n, last int) string {
	return strings.TrimSuffix(e.Subnet(n), "0/24") + fmt.Sprint(last)
}

// choosing holds a lock, over all processes of tests, while addresses that are
// free are found and taken. Call what it returns.
func choosing() (done func(), err error) {
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "lse2e.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("wait for the choice of addresses: %w", err)
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for the choice of addresses: %w", err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// chooses says whether a docker command may have the engine choose addresses
// for a new network. It takes those that no interface of the machine has, and
// two engines that search at once take the same.
func chooses(args []string) bool {
	if len(args) == 0 || slices.Contains(args, "--subnet") {
		return false
	}
	return args[0] == "network" && slices.Contains(args, "create") || args[0] == "compose" && slices.Contains(args, "up")
}

// freePrefix is a private network of 65,536 addresses that no interface is in.
func freePrefix() (netip.Prefix, error) {
	used, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("find free addresses: %w", err)
	}
	for range 100 {
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(100 + rand.N(150)), 0, 0}), 16)
		if !overlaps(prefix, used) {
			return prefix, nil
		}
	}
	return netip.Prefix{}, errors.New("find free addresses: all of 10.100.0.0 to 10.249.255.255 are in use")
}

func overlaps(prefix netip.Prefix, used []net.Addr) bool {
	for _, address := range used {
		if other, err := netip.ParsePrefix(address.String()); err == nil && other.Overlaps(prefix) {
			return true
		}
	}
	return false
}

// firstPort and manyPorts: below those that the kernel gives to connections. A
// server that is down would lose such a port to one of them.
const firstPort, manyPorts = 20_000, 12_000

var ports atomic.Int32

// FreePort is a port of loopback on which nothing listens right now, and that no
// other test of this process gets. Another process begins with another one.
func FreePort(t testing.TB) int {
	t.Helper()
	for range manyPorts {
		port := firstPort + (os.Getpid()*500+int(ports.Add(1)))%manyPorts
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = listener.Close() // it never served
			return port
		}
	}
	t.Fatalf("none of the %d ports from %d on is free", manyPorts, firstPort)
	return 0
}
