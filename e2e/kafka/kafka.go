//go:build e2e

// Package kafka runs a real Apache Kafka for tests: one broker in KRaft mode,
// on free ports of loopback, with a directory of its own.
package kafka

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"logstream/e2e/process"
)

// startTimeout is how long a start may take on a busy machine: seconds, on an
// idle one.
const startTimeout = 5 * time.Minute

// Kafka is a broker that can be stopped, killed and started again, always at
// the same addresses and with the same data.
type Kafka struct {
	t       testing.TB
	jars    string
	dir     string
	addr    string
	proxied string
	process process.Process
}

// Start starts a broker, which ends with the test. With a front, an address
// such as a proxy's, clients that connect to Proxied are sent there.
func Start(t testing.TB, front string) *Kafka {
	t.Helper()
	jars, err := find()
	if err != nil {
		t.Fatal(err)
	}
	k := &Kafka{t: t, jars: jars, dir: t.TempDir(), addr: Free(t), proxied: Free(t)}
	if front == "" {
		front = k.proxied
	}
	if err := os.WriteFile(k.properties(), []byte(k.settings(front, Free(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	format := k.java("kafka.tools.StorageTool", "format", "--cluster-id", "bG9nc3RyZWFtLWUyZS0xMg", "--config", k.properties())
	if out, err := format.CombinedOutput(); err != nil {
		t.Fatalf("format Kafka's directory: %v: %s", err, out)
	}
	t.Cleanup(func() {
		k.Kill()
		if t.Failed() {
			out, _ := os.ReadFile(k.log())
			t.Logf("Kafka said:\n%s", out[max(0, len(out)-4000):])
		}
	})
	k.Run()
	return k
}

// Addr is where clients find the broker.
func (k *Kafka) Addr() string { return k.addr }

// Proxied is the broker's address as clients of front see it.
func (k *Kafka) Proxied() string { return k.proxied }

// Pid is the process's.
func (k *Kafka) Pid() int { return k.process.Pid() }

// Run starts the broker where it doesn't run, and waits until it answers.
func (k *Kafka) Run() {
	k.t.Helper()
	if k.process.Running() {
		return
	}
	if err := k.process.Start(k.java("kafka.Kafka", k.properties()), k.log()); err != nil {
		k.t.Fatalf("start Kafka: %v", err)
	}
	for end := time.Now().Add(startTimeout); ; time.Sleep(100 * time.Millisecond) {
		err := k.answers()
		if err == nil {
			return
		}
		if !k.process.Running() || time.Now().After(end) {
			k.t.Fatalf("Kafka does not start: %v", err)
		}
	}
}

// Kill ends the broker at once.
func (k *Kafka) Kill() {
	k.t.Helper()
	if err := k.process.End(os.Kill); err != nil {
		k.t.Errorf("kill Kafka: %v", err)
	}
}

// Stop ends the broker in order.
func (k *Kafka) Stop() {
	k.t.Helper()
	if err := k.process.End(os.Interrupt); err != nil {
		k.t.Errorf("stop Kafka: %v", err)
	}
}

// answers says why the broker is of no use to clients yet, or nil.
func (k *Kafka) answers() error {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.addr))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	metadata, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if len(metadata.Brokers) == 0 {
		return errors.New("its only broker is not in service yet")
	}
	return nil
}

func (k *Kafka) properties() string { return filepath.Join(k.dir, "server.properties") }
func (k *Kafka) log() string        { return filepath.Join(k.dir, "kafka.log") }

// settings are the broker's: Kafka's defaults, but for what one node needs, and
// what makes it quick.
func (k *Kafka) settings(front, controller string) string {
	return strings.Join([]string{
		"process.roles=broker,controller",
		"node.id=1",
		"controller.quorum.voters=1@" + controller,
		"controller.listener.names=CONTROLLER",
		"inter.broker.listener.name=DIRECT",
		"listeners=DIRECT://" + k.addr + ",PROXIED://" + k.proxied + ",CONTROLLER://" + controller,
		"advertised.listeners=DIRECT://" + k.addr + ",PROXIED://" + front,
		"listener.security.protocol.map=DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs=" + filepath.Join(k.dir, "data"),
		"offsets.topic.replication.factor=1",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"group.initial.rebalance.delay.ms=0",
		// How long a killed broker has to wait for its own dead self: 9 s by default.
		"broker.session.timeout.ms=2000",
		"broker.heartbeat.interval.ms=500",
		"",
	}, "\n")
}

func (k *Kafka) java(class string, args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(k.jars, "*"), class}, args...)...)
	cmd.Dir = k.dir
	return cmd
}

//go:embed pom.xml
var pom []byte

// Version is that of the Apache Kafka that pom.xml names.
func Version() (string, error) {
	var project struct {
		Versions []string `xml:"dependencies>dependency>version"` // Kafka's first
	}
	if err := xml.Unmarshal(pom, &project); err != nil {
		return "", fmt.Errorf("read pom.xml: %w", err)
	}
	return project.Versions[0], nil
}

// find is the directory with Kafka and what it needs, as scripts/deps.sh makes it.
func find() (string, error) {
	version, err := Version()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find Apache Kafka: %w", err)
	}
	digest := sha256.Sum256(pom)
	jars := filepath.Join(cache, "logstream-e2e", "kafka-"+version+"-"+hex.EncodeToString(digest[:4]))
	// deps.sh puts a copy of pom.xml beside the jars when all of them are there.
	if whole, err := os.ReadFile(filepath.Join(jars, "pom.xml")); err != nil || !bytes.Equal(whole, pom) {
		return "", fmt.Errorf("the Apache Kafka of e2e/kafka/pom.xml is not in %s: make deps", jars)
	}
	if _, err := exec.LookPath("java"); err != nil {
		return "", fmt.Errorf("start Apache Kafka: %w: make deps", err)
	}
	return jars, nil
}

// Free is an address of loopback at which nothing listens right now. It lies
// below the ports from which connections go out: one of them would take the
// place of a broker that is unreachable.
func Free(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.N(12_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no port of loopback is free")
	return ""
}
