//go:build e2e

package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

var errNotInstalled = errors.New("the Docker engine is not installed: make deps")

// own is an engine that we start: dockerd, and the containerd below it, which
// lives on when dockerd ends, as under systemd.
type own struct {
	programs string // the folder of its programs; empty: on the PATH
	dir      string // everything it writes
	socket   string
	name     string // of its bridge and control group
	bridged  bool
	prefix   netip.Prefix // of its bridge, in the first quarter, and of its Subnets

	containerd, dockerd daemon
}

func newOwn(kind Kind) (*own, error) {
	programs, err := kind.folder()
	if err != nil {
		return nil, err
	}
	for _, program := range []string{"dockerd", "containerd", "docker", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w (there is no %s)", errNotInstalled, program)
		}
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("starting a Docker engine takes root")
	}
	if err := sweep(); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("lse2e%06x", rand.N(1<<24))
	// Short, because the path of a socket has at most 107 bytes.
	dir := filepath.Join("/tmp", fmt.Sprintf("%s-%d", name, os.Getpid()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for the engine: %w", err)
	}
	return &own{programs: programs, dir: dir, name: name, socket: filepath.Join(dir, "docker.sock")}, nil
}

// sweep removes what engines left whose tests were killed: their folders name
// the test's process.
func sweep() error {
	dirs, err := filepath.Glob("/tmp/lse2e*-*")
	if err != nil {
		return err // unreachable: the pattern is well formed
	}
	for _, dir := range dirs {
		name, process, _ := strings.Cut(filepath.Base(dir), "-")
		if _, err := strconv.Atoi(process); err != nil || lives(process) {
			continue
		}
		_, err := net.InterfaceByName(name)
		left := &own{dir: dir, name: name, bridged: err == nil}
		if err := left.close(func() {}); err != nil {
			return fmt.Errorf("remove what a killed test left: %w", err)
		}
	}
	return nil
}

// lives reports whether a process runs. One that ended and that was not waited for
// how has an empty command line.
func lives(process string) bool {
	command, err := os.ReadFile(filepath.Join("/proc", process, "cmdline"))
	return err == nil && len(command) > 0
}

// run starts what doesn't run.
func (o *own) run() error {
	if err := o.prepare(); err != nil {
		return err
	}
	if err := o.runContainerd(); err != nil {
		return err
	}
	return o.dockerd.start(o.programs, "dockerd", filepath.Join(o.dir, "dockerd.log"))
}

// prepare makes the bridge and dockerd's arguments, once.
func (o *own) prepare() error {
	if o.bridged {
		return nil
	}
	if err := o.bridge(); err != nil {
		return err
	}
	config := filepath.Join(o.dir, "daemon.json") // not the machine's
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		return fmt.Errorf("configure dockerd: %w", err)
	}
	o.dockerd.args = []string{
		"--config-file", config,
		"--host", "unix://" + o.socket,
		"--containerd", o.containerdSocket(),
		"--data-root", filepath.Join(o.dir, "data"),
		"--exec-root", filepath.Join(o.dir, "exec"),
		"--pidfile", filepath.Join(o.dir, "docker.pid"),
		"--exec-opt", "native.cgroupdriver=cgroupfs", // its containers are found by their group
		"--cgroup-parent", "/" + o.name,
		"--bridge", o.name,
		"--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", // docker-proxy publishes ports
	}
	return nil
}

// bridge makes the engine's bridge. For its other networks the engine searches
// addresses that are free by itself (chooses); with --default-address-pool it would
// remove docker0, another engine's bridge, at its second start (seen on 20.10).
func (o *own) bridge() error {
	done, err := choosing()
	if err != nil {
		return err
	}
	defer done()
	if o.prefix, err = freePrefix(); err != nil {
		return err
	}
	a := o.prefix.Addr().As4()
	for _, args := range [][]string{
		// Without an address of its own it has that of some container's, and with each that
		// comes or goes another one: to it, those that run would not answer for a while.
		{"link", "add", "name", o.name, "address", fmt.Sprintf("02:42:%02x:%02x:00:01", a[0], a[1]), "type", "bridge"},
		{"addr", "add", fmt.Sprintf("%d.%d.0.1/18", a[0], a[1]), "dev", o.name},
		{"link", "set", o.name, "up"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("make the engine's bridge: ip %s: %w: %s", strings.Join(args, " "), err, out)
		}
		o.bridged = true
	}
	return nil
}

func (o *own) containerdSocket() string { return filepath.Join(o.dir, "containerd.sock") }

func (o *own) runContainerd() error {
	if o.containerd.running() {
		return nil
	}
	config := filepath.Join(o.dir, "containerd.toml")
	text := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = %q\n",
		filepath.Join(o.dir, "containerd"), filepath.Join(o.dir, "containerd-state"), o.containerdSocket())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("configure containerd: %w", err)
	}
	o.containerd.args = []string{"--config", config}
	if err := o.containerd.start(o.programs, "containerd", filepath.Join(o.dir, "containerd.log")); err != nil {
		return err
	}
	return o.containerd.await(func() bool {
		connection, err := net.Dial("unix", o.containerdSocket())
		if err != nil {
			return false
		}
		return connection.Close() == nil
	})
}

func (o *own) await(answers func() bool) error { return o.dockerd.await(answers) }

// close ends everything and removes what is left.
func (o *own) close(removeContainers func()) error {
	if o.dockerd.running() {
		removeContainers()
	}
	err := errors.Join(o.dockerd.stop(), o.containerd.stop(), killLeftovers(o.dir, "/"+o.name), unmountBelow(o.dir))
	removeCgroups(o.name)
	bridges := networkBridges(o.dir)
	if o.bridged {
		bridges = append(bridges, o.name)
	}
	return errors.Join(err, removeBridges(bridges), removeFolder(o.dir))
}

// removeFolder removes the engine's folder; a mount that was just given up may
// hold it for a moment.
func removeFolder(dir string) error {
	var err error
	if within(5*time.Second, func() bool { err = os.RemoveAll(dir); return err == nil }) {
		return nil
	}
	return fmt.Errorf("remove the engine's folder: %w", err)
}
