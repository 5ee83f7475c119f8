//go:build e2e

// Package checks runs LogStream's checks against the real servers: those of
// Debian, each with a directory and a port of its own on loopback.
package checks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"logstream/e2e/kafka"
	"logstream/e2e/process"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// canary is the password of every login: no check repeats it.
const canary = "c4n4ry-p4ssw0rd"

// checkOnce has a url checked once.
func checkOnce(t *testing.T, rawURL string, changes ...func(*service.Definition)) check.Observation {
	t.Helper()
	def := service.Default()
	def.Name, def.URL, def.Timeout = "pay", rawURL, 10*time.Second
	for _, change := range changes {
		change(&def)
	}
	if problems := check.Problems(def); problems != nil {
		t.Fatalf("%s has the problems %v", rawURL, problems)
	}
	kind, is := check.Of(rawURL)
	if !is {
		t.Fatalf("%s has no kind of check", rawURL)
	}
	checker := kind.New(def, check.Env{Version: "1.2.3", Detail: true})
	defer checker.Close()
	seen := checker.Check(t.Context())
	if all := fmt.Sprintf("%+v", seen); strings.Contains(all, canary) {
		t.Errorf("the password is repeated: %s", all)
	}
	if seen.Took > def.Timeout+time.Second {
		t.Errorf("a check with a timeout of %s took %s", def.Timeout, seen.Took)
	}
	return seen
}

// expects checks once, and says where the failure or the sentence is another one. No
// failure is UP.
func expects(t *testing.T, rawURL string, failure event.Failure, says string, changes ...func(*service.Definition)) {
	t.Helper()
	status := event.Down
	switch failure {
	case "":
		status = event.Up
	case event.FailureLatency:
		status = event.Degraded
	}
	seen := checkOnce(t, rawURL, changes...)
	if seen.Status != status || seen.Failure != failure || !strings.Contains(seen.Error, says) {
		t.Errorf("%s: saw %s %q %q (%v), want %s %q … %s", service.MaskURL(rawURL), seen.Status, seen.Failure, seen.Error, seen.Unknown, status, failure, says)
	}
}

func soon(d *service.Definition) { d.Timeout = 500 * time.Millisecond }
func slow(d *service.Definition) { d.Expect.Latency = time.Nanosecond }

// server is a program that a test runs.
type server struct {
	t       *testing.T
	dir     string // its own, which belongs to its user
	address string
	port    string
	user    *syscall.Credential // nil: ours
	process process.Process
}

// newServer has a free port. Where the tests run as root, the server is another
// user: some refuse to be root.
func newServer(t *testing.T, as string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), address: kafka.Free(t)}
	_, s.port, _ = net.SplitHostPort(s.address)
	if os.Getuid() == 0 && as != "" {
		found, err := user.Lookup(as)
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.ParseUint(found.Uid, 10, 32)
		gid, _ := strconv.ParseUint(found.Gid, 10, 32)
		s.user = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		s.own(s.dir)
		if err := os.Chmod(filepath.Dir(s.dir), 0o711); err != nil { // through which the way there leads
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { s.end(os.Kill) })
	return s
}

// own gives a file to the server's user.
func (s *server) own(name string) {
	s.t.Helper()
	if s.user == nil {
		return
	}
	if err := os.Chown(name, int(s.user.Uid), int(s.user.Gid)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	return cmd
}

// run runs a program to its end.
func (s *server) run(cmd *exec.Cmd) {
	s.t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// start starts the server, and waits until ready says that it serves.
func (s *server) start(cmd *exec.Cmd, ready func() bool) {
	s.t.Helper()
	log := filepath.Join(s.dir, "log")
	if err := s.process.Start(cmd, log); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); !ready(); time.Sleep(50 * time.Millisecond) {
		if !s.process.Running() || time.Now().After(end) {
			out, _ := os.ReadFile(log)
			s.t.Fatalf("%v does not serve:\n%s", cmd, out)
		}
	}
}

func (s *server) up(rawURL string) func() bool {
	return func() bool { return checkOnce(s.t, rawURL, soon).Status == event.Up }
}

func (s *server) end(signal os.Signal) {
	s.t.Helper()
	if err := s.process.End(signal); err != nil {
		s.t.Error(err)
	}
}

// hangs has the server stand still while fn runs: the kernel goes on to take
// connections for it.
func (s *server) hangs(fn func()) {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	defer s.signal(syscall.SIGCONT)
	fn()
}

func (s *server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.process.Pid(), signal); err != nil {
		s.t.Fatal(err)
	}
}

// certify puts a certificate for 127.0.0.1 into the server's directory, signed by itself.
func (s *server) certify() (cert, key string) {
	s.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		s.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.write("server.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		s.write("server.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// write writes a file that only the server's user may read.
func (s *server) write(name string, content []byte) string {
	s.t.Helper()
	name = filepath.Join(s.dir, name)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.own(name)
	return name
}

// program is the first of the names that is there.
func program(t *testing.T, patterns ...string) string {
	t.Helper()
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Fatalf("none of %v is there; make deps installs it", patterns)
	return ""
}
