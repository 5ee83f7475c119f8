package bus

import (
	"bufio"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
)

// spawn starts this binary as a child that has dir.
func spawn(t *testing.T, dir string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "BUS_TEST_CHILD="+dir)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child says %q", lines.Text())
	}
	return cmd, lines
}

// TestAcknowledgedRecordsSurviveKill kills a writing process at random moments: every acknowledged
// record is there when its topic is opened again, in order, once.
func TestAcknowledgedRecordsSurviveKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acked := []int{}
	next := 0
	for range 4 {
		cmd, lines := spawn(t, dir, "BUS_TEST_WRITE="+strconv.Itoa(next))
		kill := time.AfterFunc(50*time.Millisecond+rand.N(300*time.Millisecond), func() { cmd.Process.Kill() })
		for lines.Scan() {
			i, err := strconv.Atoi(lines.Text())
			if err != nil {
				if strings.HasPrefix(lines.Text(), "error") {
					t.Fatalf("the child says %q", lines.Text())
				}
				break // half a line
			}
			acked = append(acked, i)
		}
		kill.Stop()
		cmd.Wait()
		// The last may be on its topic without an answer: the next child leaves
		// its number out.
		if len(acked) > 0 {
			next = acked[len(acked)-1] + 2
		}
	}
	if len(acked) < 20 {
		t.Fatalf("only %d records were acknowledged", len(acked))
	}
	b, _, _ := open(t, testConfig(dir))
	r := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	wait(t, "CaughtUp", func() bool { return len(r.caughtUp()) == 1 })
	var there []int
	for _, v := range r.values() {
		i, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("a record says %q", v)
		}
		there = append(there, i)
	}
	for i := 1; i < len(there); i++ {
		if there[i] <= there[i-1] {
			t.Fatalf("%d stands after %d", there[i], there[i-1])
		}
	}
	for _, i := range acked {
		if _, is := slices.BinarySearch(there, i); !is {
			t.Errorf("record %d was acknowledged and is not there", i)
		}
	}
	t.Logf("%d acknowledged, %d there", len(acked), len(there))
}

func TestDataDirectoryIsLocked(t *testing.T) {
	wantInUse := func(dir string, pid int) {
		t.Helper()
		_, err := Open(t.Context(), testConfig(dir), Identity{}, testLog(t), new(health.Registry))
		var start *StartError
		if !errors.As(err, &start) {
			t.Fatalf("error %v, want a StartError", err)
		}
		want := "data directory " + dir + " is in use by another logstream (pid " + strconv.Itoa(pid) +
			"): stop it, or set bus.embedded.data to another directory"
		if err.Error() != want {
			t.Errorf("error:\n%v\nwant:\n%s", err, want)
		}
	}
	dir := t.TempDir()
	_, _, stop := open(t, testConfig(dir))
	wantInUse(dir, os.Getpid())
	stop()
	cmd, _ := spawn(t, dir)
	wantInUse(dir, cmd.Process.Pid)
	cmd.Process.Kill()
	cmd.Wait()
	open(t, testConfig(dir)) // the killed process no longer holds the lock
}

func TestStartErrorsSayWhatToChange(t *testing.T) {
	b, _, _ := open(t, testConfig(t.TempDir()))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged, short := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(damaged, logDir), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{
		filepath.Join(damaged, logDir, "meta.json"): "{",
		filepath.Join(short, secretFile):            "short\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		says   []string
	}{
		{"address taken", func(c *Config) { c.Embedded.Listen = b.Addr() }, []string{"address " + b.Addr() + " is in use", "bus.embedded.listen"}},
		{"no address of ours", func(c *Config) { c.Embedded.Listen = "203.0.113.1:9092" }, []string{"cannot listen at 203.0.113.1:9092", "127.0.0.1:9092"}},
		{"no directory", func(c *Config) { c.Embedded.Data = filepath.Join(file, "data") }, []string{"cannot be created", "bus.embedded.data"}},
		{"damaged topics", func(c *Config) { c.Embedded.Data = damaged }, []string{"the topics in", "move it elsewhere"}},
		{"short secret", func(c *Config) { c.Embedded.Data = short }, []string{"has 5 characters", "bus.secret"}},
	} {
		config := testConfig(t.TempDir())
		c.change(&config)
		_, err := Open(t.Context(), config, Identity{}, testLog(t), new(health.Registry))
		var start *StartError
		if !errors.As(err, &start) {
			t.Errorf("%s: error %v, want a StartError", c.name, err)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", c.name, err, part)
			}
		}
	}
}

func TestIdentityAndSecretAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	first, err := LoadIdentity(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := LoadIdentity(dir, "")
	other, _ := LoadIdentity(t.TempDir(), "")
	host, _ := os.Hostname()
	if first != again || first == other || !strings.HasPrefix(first, host+"-") || len(first) != len(host)+5 {
		t.Errorf("instances %q, %q and, elsewhere, %q", first, again, other)
	}
	if configured, _ := LoadIdentity(dir, "mine"); configured != "mine" {
		t.Errorf("configured: %q", configured)
	}
	if err := os.WriteFile(filepath.Join(dir, instanceFile), []byte("???"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadIdentity(dir, ""); err == nil {
		t.Error("a damaged instance file: no error")
	}
	secret, err := loadSecret(dir, "")
	if err != nil || len(secret) != 64 {
		t.Fatalf("secret %q, %v", secret, err)
	}
	info, err := os.Stat(filepath.Join(dir, secretFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's mode is %v, %v", info.Mode(), err)
	}
	content, _ := os.ReadFile(filepath.Join(dir, secretFile))
	if string(content) != string(secret)+"\n" {
		t.Errorf("the file holds %q, the secret is %q", content, secret)
	}
	if same, _ := loadSecret(dir, ""); string(same) != string(secret) {
		t.Error("the secret changed")
	}
	if own, _ := loadSecret(dir, "a secret of my own"); string(own) != "a secret of my own" {
		t.Errorf("configured: %q", own)
	}
}
