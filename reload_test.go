package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// edited is a logstream whose configuration file a test edits.
type edited struct {
	t     *testing.T
	path  string
	names []string // of the services
	hooks string
	ports [5]string // free at the beginning: of the page twice, of the broker twice, and one that is taken
	ended chan int
	log   *bytes.Buffer // to be read when it has ended
	stop  func()
}

// edit runs a logstream whose page and broker have the first of their ports.
func edit(t *testing.T) *edited {
	t.Helper()
	e := &edited{t: t, path: filepath.Join(t.TempDir(), "config.yaml"), names: []string{"a"}, ended: make(chan int, 1), log: &bytes.Buffer{}}
	var held []net.Listener
	for i := range e.ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		e.ports[i], held = ln.Addr().String(), append(held, ln)
	}
	for _, ln := range held[:4] {
		ln.Close()
	}
	t.Cleanup(func() { held[4].Close() })
	e.save(e.ports[0], e.ports[2], "observe")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { e.ended <- execute(ctx, e.log, e.log, []string{"run", "--config", e.path}) }()
	e.stop = func() { cancel(); code := <-e.ended; e.ended <- code }
	t.Cleanup(func() {
		e.stop()
		if code := <-e.ended; code != exitDone {
			t.Errorf("it ended with exit code %d and wrote\n%s", code, e.log)
		}
	})
	return e
}

func (e *edited) save(page, broker, mode string) {
	e.t.Helper()
	content := fmt.Sprintf("instance: me\ndocker: {host: 'unix://%[1]s/none.sock'}\ndashboard: {listen: '%[2]s'}\n"+
		"bus: {embedded: {listen: '%[3]s', data: '%[1]s/data'}}\nhealer: {mode: %[4]s, decide: runbook}\nservices:\n",
		filepath.Dir(e.path), page, broker, mode)
	content = "hooks: [" + e.hooks + "]\n" + content
	for _, name := range e.names {
		content += fmt.Sprintf("- {name: %s, url: 'http://%s/healthz', interval: 200ms}\n", name, page)
	}
	if err := os.WriteFile(e.path+"~", []byte(content), 0o600); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Rename(e.path+"~", e.path); err != nil {
		e.t.Fatal(err)
	}
}

// info is what the page at an address says of the whole; empty where none is there.
func (e *edited) info(page string) (info struct {
	Mode        string
	ConfigError string `json:"config_error"`
	Bus         struct {
		Brokers []string
		OK      bool
	}
}) {
	response, err := http.Get("http://" + page + "/api/v1/info")
	if err != nil {
		return info
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&info); err != nil {
		e.t.Error(err)
	}
	return info
}

// client is a connection to the broker, and whether it still stands.
func (e *edited) client(broker string) (stands func() bool) {
	e.t.Helper()
	conn, err := net.Dial("tcp", broker)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { conn.Close() })
	return func() bool {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := conn.Read(make([]byte, 1))
		timeout, is := err.(net.Error)
		return is && timeout.Timeout()
	}
}

func TestAnEditOfTheHealerOrThePageLeavesTheBrokerRunning(t *testing.T) {
	e := edit(t)
	page, other, broker, taken := e.ports[0], e.ports[1], e.ports[2], e.ports[4]
	until(t, 20*time.Second, "it is there", func() bool { return e.info(page).Mode == "observe" })
	stands := e.client(broker)

	e.save(page, broker, "auto")
	until(t, 10*time.Second, "the new mode is in use", func() bool { return e.info(page).Mode == "auto" })
	e.save(other, broker, "auto")
	until(t, 10*time.Second, "the page moves", func() bool { return e.info(other).Mode == "auto" && e.info(page).Mode == "" })
	e.save(taken, broker, "observe")
	until(t, 10*time.Second, "the taken port is reported", func() bool { return strings.Contains(e.info(other).ConfigError, taken) })
	if got := e.info(other); got.Mode != "auto" {
		t.Errorf("the mode is %q, and nothing was to change", got.Mode)
	}
	e.save(other, broker, "observe")
	until(t, 10*time.Second, "the corrected file is in use", func() bool { i := e.info(other); return i.Mode == "observe" && i.ConfigError == "" })
	if !stands() {
		t.Error("the broker was started again")
	}
}

func TestAnEditOfTheHooksReachesThePage(t *testing.T) {
	e := edit(t)
	page, broker := e.ports[0], e.ports[2]
	until(t, 20*time.Second, "it is there", func() bool { return e.info(page).Bus.OK })
	stands := e.client(broker)
	takes := func() int {
		answer, err := http.Post("http://"+page+"/api/v1/hooks/generic?token=0123456789abcdef", "application/json", strings.NewReader("[]"))
		if err != nil {
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if got := takes(); got != http.StatusNotFound {
		t.Errorf("a hook that is not configured = %d", got)
	}
	e.hooks = "{name: script, kind: generic, token: 0123456789abcdef}"
	e.save(page, broker, "observe")
	until(t, 10*time.Second, "the hook is there", func() bool { return takes() == http.StatusAccepted })
	if !stands() {
		t.Error("the broker was started again")
	}
}

func TestAnEditOfServicesReachesEveryPart(t *testing.T) {
	e := edit(t)
	page, broker := e.ports[0], e.ports[2]
	until(t, 20*time.Second, "a is UP", func() bool { return statuses(page)["a"] == "UP" })
	stands := e.client(broker)
	e.names = []string{"a", "b"}
	e.save(page, broker, "observe")
	until(t, 20*time.Second, "b is UP", func() bool { return statuses(page)["b"] == "UP" })
	e.names = []string{"a"}
	e.save(page, broker, "observe")
	until(t, 20*time.Second, "b is gone", func() bool { all := statuses(page); _, is := all["b"]; return !is && all["a"] == "UP" })
	if !stands() {
		t.Error("the broker was started again")
	}
}

func TestAnEditOfTheBusOpensEveryPartAgain(t *testing.T) {
	e := edit(t)
	page, broker, other, taken := e.ports[0], e.ports[2], e.ports[3], e.ports[4]
	until(t, 20*time.Second, "it is there", func() bool { return e.info(page).Bus.OK })

	e.save(page, other, "auto")
	until(t, 20*time.Second, "the broker moves", func() bool {
		i := e.info(page)
		return i.Mode == "auto" && i.Bus.OK && len(i.Bus.Brokers) == 1 && i.Bus.Brokers[0] == other
	})
	if conn, err := net.Dial("tcp", broker); err == nil {
		conn.Close()
		t.Errorf("the broker still answers at %s", broker)
	}
	e.save(page, taken, "observe")
	until(t, 20*time.Second, "the taken port is reported", func() bool { return strings.Contains(e.info(page).ConfigError, taken) })
	if i := e.info(page); i.Mode != "auto" || i.Bus.Brokers[0] != other {
		t.Errorf("in use is %+v, want what was before", i)
	}
	e.save(page, other, "observe")
	until(t, 20*time.Second, "the corrected file is in use", func() bool { i := e.info(page); return i.Mode == "observe" && i.ConfigError == "" })
}

// TestTwoEditsInARowLeaveThePageAtItsAddress has the page of the first edit wait
// for a request that the page before it still answers.
func TestTwoEditsInARowLeaveThePageAtItsAddress(t *testing.T) {
	e := edit(t)
	page, broker := e.ports[0], e.ports[2]
	until(t, 20*time.Second, "it is there", func() bool { return e.info(page).Bus.OK })
	conn, err := net.Dial("tcp", page)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Its server says that it wants the body once a handler reads it.
	fmt.Fprintf(conn, "POST /api/v1/hold HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", page)
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the request is answered %q, %v", line, err)
	}
	e.save(page, broker, "auto")
	until(t, 10*time.Second, "the page is removed", func() bool { return e.info(page).Mode == "" })
	e.hooks = "{name: script, kind: generic, token: 0123456789abcdef}"
	e.save(page, broker, "auto")
	until(t, 15*time.Second, "the page of the second edit is there", func() bool {
		answer, err := http.Post("http://"+page+"/api/v1/hooks/generic?token=0123456789abcdef", "application/json", strings.NewReader("[]"))
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusAccepted && e.info(page).Mode == "auto"
	})
}

// TestEditsOfTheHealerDuringARepairLoseNothingOfIt edits it again and again while a
// killed service is repaired and the repair verified.
func TestEditsOfTheHealerDuringARepairLoseNothingOfIt(t *testing.T) {
	a, _ := started(t, smallSetup(t, t.TempDir()))
	page := a.address
	until(t, 20*time.Second, "it is UP", func() bool { return statuses(page)["payment-service"] == "UP" })
	answer, err := http.Post("http://"+page+"/api/v1/services/payment-service/chaos", "application/json", strings.NewReader(`{"fault":"kill"}`))
	if err != nil || answer.StatusCode != http.StatusAccepted {
		t.Fatalf("the fault is answered with %v, %v", answer, err)
	}
	answer.Body.Close()
	edits := 0
	for end := time.Now().Add(60 * time.Second); a.incident("payment-service").State != "resolved"; time.Sleep(700 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %d edits the incident is %+v", edits, a.incident("payment-service"))
		}
		if edits < 4 {
			edits++
			next := a.config
			next.Healer.Budget.Attempts += 1
			if err := a.reload(next); err != nil {
				t.Fatal(err)
			}
		}
	}
	if in := a.incident("payment-service"); in.How != "healed" || in.Attempts != 1 {
		t.Errorf("after %d edits the incident is %+v", edits, in)
	}
	if got := a.address; got != page || a.dashboard.now().Addr() != page {
		t.Errorf("the page moved from %s to %s", page, a.dashboard.now().Addr())
	}
}

// TestAnEditOutlastsThatNeitherConfigurationCanBeOpened has the secret be of no use for
// a while, which both the edited configuration and the previous one read.
func TestAnEditOutlastsThatNeitherConfigurationCanBeOpened(t *testing.T) {
	e := edit(t)
	page, broker, other := e.ports[0], e.ports[2], e.ports[3]
	until(t, 20*time.Second, "it is there", func() bool { return e.info(page).Bus.OK })
	secret := filepath.Join(filepath.Dir(e.path), "data", "secret")
	was, err := os.ReadFile(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.save(page, other, "observe")
	until(t, 10*time.Second, "the parts end", func() bool { return e.info(page).Mode == "" })
	time.Sleep(time.Second)
	if err := os.WriteFile(secret, was, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, 20*time.Second, "the previous configuration is in use", func() bool {
		i := e.info(page)
		return i.Bus.OK && len(i.Bus.Brokers) == 1 && i.Bus.Brokers[0] == broker && strings.Contains(i.ConfigError, "secret")
	})
}
