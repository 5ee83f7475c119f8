//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/internal/event"
	"logstream/internal/state"
)

// demo is `logstream run --demo`, with its page's address as it prints it.
func demo(t *testing.T) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: t.TempDir(), args: []string{"run", "--demo"}}
	d.env = []string{"TMPDIR=" + d.dir} // its data directory is a fresh temporary one
	demos.Lock()
	t.Cleanup(demos.Unlock) // after its end, which is cleaned up before
	d.launch()
	d.page = d.printed(`http://(127\.0\.0\.1:[0-9]+)`)
	for _, name := range append([]string{"database"}, demoServices...) {
		d.up(name)
	}
	return d
}

// demos is held by the one demo that runs: it chooses free ports, and that of a
// service which a test has stopped looks free to another.
var demos sync.Mutex

var demoServices = []string{"payment-service", "inventory-service"}

// printed is what the first group of a pattern matches in the output.
func (d *daemon) printed(pattern string) string {
	d.t.Helper()
	expression := regexp.MustCompile(pattern)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if match := expression.FindStringSubmatch(d.out.String()); match != nil {
			return match[1]
		}
	}
	d.t.Fatalf("it does not print %s within two minutes:\n%s", pattern, d.out)
	return ""
}

func TestTheDemoHealsWhatItsButtonBreaks(t *testing.T) {
	t.Parallel()
	d := demo(t)
	for _, tt := range []struct{ fault, action string }{{"stop", "start"}, {"kill", "start"}, {"pause", "unpause"}, {"exit", "start"}, {"fail", "restart"}} {
		count := len(d.incidents("payment-service"))
		if code, answer := d.post("/api/v1/services/payment-service/chaos", fmt.Sprintf(`{"fault":%q}`, tt.fault)); code != 202 {
			t.Fatalf("the button %s: %d %s", tt.fault, code, answer)
		}
		d.until(20*time.Second, tt.fault+" opens an incident", func() bool { return len(d.incidents("payment-service")) > count })
		in := d.newest(60*time.Second, "payment-service", "is resolved after "+tt.fault, resolved)
		if got := actions(in); !slices.Equal(got, []string{tt.action}) || how(in) != "healed" {
			t.Errorf("%s: actions %v, how %q", tt.fault, got, how(in))
		}
		for _, want := range []event.Type{event.TypeOpened, event.TypeEvidence, event.TypeDiagnosed, event.TypeActionStarted, event.TypeActionFinished, event.TypeVerified, event.TypeResolved} {
			if !slices.ContainsFunc(in.Events, func(e event.Incident) bool { return e.Type == want }) {
				t.Errorf("%s: the incident has no %s", tt.fault, want)
			}
		}
	}
}

func TestThreeFaultsWithinTenSecondsAreRepaired(t *testing.T) {
	t.Parallel()
	d := demo(t)
	repairs := func() (n int) {
		for _, in := range d.incidents("inventory-service") {
			n += len(results(d.incident(in.ID)))
		}
		return n
	}
	for range 3 {
		began, before := time.Now(), repairs()
		if code, answer := d.post("/api/v1/services/inventory-service/chaos", `{"fault":"stop"}`); code != 202 {
			t.Fatalf("the button: %d %s", code, answer)
		}
		d.until(10*time.Second, "it is repaired", func() bool { return repairs() > before })
		d.until(10*time.Second, "it is green again", d.isUp("inventory-service"))
		if rest := 3*time.Second - time.Since(began); rest > 0 {
			time.Sleep(rest)
		}
	}
	d.newest(60*time.Second, "inventory-service", "is resolved", resolved)
	d.up("inventory-service")
}

// TestAForeignClientReadsTheIncident reads the embedded broker with a Kafka
// client that is not ours, checks every signature by the contract's formula,
// and folds what it read.
func TestAForeignClientReadsTheIncident(t *testing.T) {
	t.Parallel()
	d := demo(t)
	if code, answer := d.post("/api/v1/services/payment-service/chaos", `{"fault":"kill"}`); code != 202 {
		t.Fatalf("the button: %d %s", code, answer)
	}
	in := d.newest(60*time.Second, "payment-service", "is resolved", resolved)

	broker := d.printed(`any Kafka client at (127\.0\.0\.1:\d+)`)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(event.TopicIncidents), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	secret := secretOf(t, d.dir)
	fold := state.NewIncidents()
	for {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			mac := hmac.New(sha256.New, secret)
			mac.Write(slices.Concat([]byte(r.Topic), []byte{0}, r.Key, []byte{0}, r.Value))
			want := hex.EncodeToString(mac.Sum(nil))
			if !slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "sig" && string(h.Value) == want }) {
				t.Errorf("the record at offset %d has no right signature", r.Offset)
			}
			e, err := event.DecodeIncident(r.Value)
			if err != nil {
				t.Error(err)
				return
			}
			fold.Apply(e)
		})
		if read := fold.Get(in.ID); read != nil && read.State == state.Resolved {
			if read.Cause != in.Cause || read.Action != in.Action || read.Attempts != in.Attempts || len(read.Events) != len(in.Events) {
				t.Errorf("read from the broker: %+v\nfrom the API: %+v", read, in)
			}
			return
		}
	}
}

// secretOf is the secret in the data directory, wherever below dir that is.
func secretOf(t *testing.T, dir string) []byte {
	t.Helper()
	var secret []byte
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "secret" {
			if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the secret has mode %v", info.Mode())
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			secret = []byte(strings.TrimSuffix(string(text), "\n"))
		}
		return nil
	})
	if secret == nil {
		t.Fatal("there is no file called secret in the data directory")
	}
	return secret
}

// children are the processes whose parent is pid.
func children(t *testing.T, pid int) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var list []int
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if parent, err := strconv.Atoi(fields[1]); err == nil && parent == pid {
			list = append(list, child)
		}
	}
	return list
}

func TestNoChildIsLeftBehind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(*daemon)
	}{
		{"Ctrl-C", func(d *daemon) {
			if code := d.stop(); code != 0 {
				d.t.Errorf("Ctrl-C: exit code %d", code)
			}
		}},
		{"kill -9", func(d *daemon) { d.kill() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := demo(t)
			if code, answer := d.post("/api/v1/hold", `{"reason":"it stays paused"}`); code != 202 {
				t.Fatalf("the hold: %d %s", code, answer)
			}
			d.until(10*time.Second, "it is on hold", func() bool { return d.held() != "" })
			if code, answer := d.post("/api/v1/services/payment-service/chaos", `{"fault":"pause"}`); code != 202 {
				t.Fatalf("the button: %d %s", code, answer)
			}
			d.until(10*time.Second, "it is paused", func() bool { return d.service("payment-service").Status == "DOWN" })
			pids := children(t, d.cmd.Process.Pid)
			if len(pids) != 3 {
				t.Fatalf("it has the children %v, want three", pids)
			}
			tt.end(d)
			for end := time.Now().Add(5 * time.Second); slices.ContainsFunc(pids, running); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("of the children %v some are left", pids)
				}
			}
		})
	}
}
