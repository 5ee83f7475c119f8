package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logstream/bus"
	"logstream/internal/event"
	"logstream/internal/health"
)

const canary = "canary-2f8c1b"

// logWith is a configuration whose embedded log holds an incident that began
// before the span, one of it, and secrets in many places; and the span.
func logWith(t *testing.T) (config string, span []string) {
	t.Helper()
	dir := t.TempDir()
	config = filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("bus: {secret: '%s-of-the-bus', embedded: {listen: '127.0.0.1:0', data: %q}}\n"+
		"services: [{name: payment-service, url: 'http://ann:%[1]s-of-the-url@127.0.0.1:9'}]\n", canary, filepath.Join(dir, "data"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := bus.Default()
	c.Secret, c.Embedded.Listen, c.Embedded.Data = canary+"-of-the-bus", "127.0.0.1:0", filepath.Join(dir, "data")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := bus.Open(ctx, c, bus.Identity{Instance: "a", Host: "local"}, quiet(), &health.Registry{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(topic, key string, value []byte) {
		t.Helper()
		if err := b.Append(ctx, topic, key, value); err != nil {
			t.Fatal(err)
		}
	}
	incident := func(id string, all ...event.Incident) {
		for _, e := range all {
			e.ID = id
			write(event.TopicIncidents, e.Service, event.Encode(e))
		}
	}
	began := time.Now()
	incident("n1", event.Incident{Seq: 1, Time: noon, Service: event.ReservedService, Type: event.TypeClaim, By: event.ByLogstream,
		Data: event.Claim{Host: "local", Instance: "a", Epoch: 1, Nonce: "n1"}, Origin: owner})
	incident("past", life(event.Opened{Error: "it is over"}, event.Resolved{How: event.HowRecovered})...)
	whole := life(event.Opened{Error: "GET http://ann:" + canary + "-of-the-url@127.0.0.1:9: refused, token=" + canary + "-of-an-error"},
		event.Evidence{Facts: []event.Fact{{Key: "events", Value: "kill(9) → die", Decisive: true, Why: "It was killed."}}, Logs: []string{"password: " + canary + "-of-a-log"}, FirstSeen: []event.FirstSeen{{Line: 0, Days: 4}}},
		event.Diagnosed{CauseID: "killed", Cause: "Its container was killed.", Action: "start", Confidence: 0.97,
			Legal:      []event.Choice{{Letter: "A", Action: "start", Why: "loses nothing"}},
			NotOffered: []event.Refusal{{Action: "restart", Why: "it does not run"}},
			Runbook:    &event.Opinion{Action: "start", Why: "the signal was 9"}},
		event.Suppressed{Gate: "deploy", Reason: "a deployment is under way"},
		event.ActionStarted{Attempt: 1, Action: "start", Command: "docker start payment-service", Verify: 3},
		event.ActionFinished{Attempt: 1, Action: "start", Command: "docker start payment-service", OK: true, DurationMS: 300},
		event.Verified{OK: true, Observations: 3}, event.Resolved{How: event.HowHealed, DownMS: 2000, TTRMS: 12000})
	incident("i1", whole[0])
	time.Sleep(5 * time.Millisecond) // the log's clock has milliseconds
	since := time.Now()
	time.Sleep(5 * time.Millisecond)
	incident("i1", whole[1:]...)
	write(event.TopicHealth, "payment-service", []byte(`{"service":"payment-service","api_key":"`+canary+`-by-its-name"}`))
	write(event.TopicDeadLetters, "", []byte("not JSON; Authorization: Bearer "+canary+"-of-garbage"))
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if since.Before(began) {
		t.Fatal("the clock was set back")
	}
	return config, []string{"--since", since.Format(time.RFC3339Nano), "--until", time.Now().Add(time.Hour).Format(time.RFC3339)}
}

// recordTo records the span.
func recordTo(t *testing.T, out string) {
	t.Helper()
	config, span := logWith(t)
	code, said, failed := logstream(append([]string{"record", "--config", config, "--out", out}, span...)...)
	if code != exitDone || !strings.Contains(said, "11 records from ") {
		t.Fatalf("exit %d, %s, %s", code, said, failed)
	}
}

func unpacked(t *testing.T, file string) string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	plain, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReplayPrintsASpanWithItsReasons(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.jsonl.gz")
	recordTo(t, file)
	code, out, failed := logstream("replay", file)
	if code != exitDone || failed != "" {
		t.Fatalf("exit %d, %s", code, failed)
	}
	rest := out
	for _, part := range []string{"11 records of local", "payment-service is DOWN", "evidence collected", "events: kill(9) → die: It was killed.", "new: not seen in the last 4 days",
		"Its container was killed.", "action: start, confidence 97%, decided by runbook, cause killed", "runbook: start: the signal was 9",
		"legal: start: loses nothing", "not offered: restart: it does not run", `repair held by gate "deploy": a deployment is under way`,
		"docker start payment-service", "attempt 1; 3 good checks needed to verify it", "docker start payment-service succeeded", "repair verified by 3 good checks", "healed in 2.0 s"} {
		i := strings.Index(rest, part)
		if i < 0 {
			t.Fatalf("%q is missing, or stands too early, in\n%s", part, out)
		}
		rest = rest[i:]
	}
	if strings.Contains(out, "it is over") {
		t.Errorf("an incident that had ended before the span is printed:\n%s", out)
	}
	code, out, _ = logstream("replay", file, "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitDone || len(lines) != 8 {
		t.Errorf("--json: exit %d, %d lines\n%s", code, len(lines), out)
	}
	for i, line := range lines {
		if e, err := event.DecodeIncident([]byte(line)); err != nil || e.ID != "i1" || e.Seq != i+1 {
			t.Errorf("--json: line %d: %v, %s", i+1, err, line)
		}
	}
}

func TestARecordingHoldsNoSecretAndNoSignature(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.jsonl.gz")
	recordTo(t, file)
	text := unpacked(t, file)
	for _, where := range []string{"-of-the-bus", "-of-the-url", "-of-an-error", "-of-a-log", "-by-its-name", "-of-garbage"} {
		if strings.Contains(text, canary+where) || strings.Contains(text, url.QueryEscape(canary+where)) {
			t.Errorf("the file holds %s in\n%s", canary+where, text)
		}
	}
	if strings.Contains(text, `"sig"`) || strings.Count(text, `"signed":true`) != 11 {
		t.Errorf("signatures, or not what replaces them, in\n%s", text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want it for its owner alone", info, err)
	}
}

func TestRecordRefusesWhatItCannotDo(t *testing.T) {
	config, _ := logWith(t)
	there := written(t, "x")
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no file":         {[]string{"record", "--config", config}, exitStartupFailure, "record: the flag --out is missing"},
		"a file is there": {[]string{"record", "--config", config, "--out", there}, exitStartupFailure, "exists already; name another file"},
		"no span":         {[]string{"record", "--config", config, "--out", "x", "--since", "1h", "--until", "2h"}, exitStartupFailure, "--since 1h must be before --until 2h"},
		"no instant":      {[]string{"record", "--config", config, "--out", "x", "--since", "yesterday"}, exitStartupFailure, `--since must be a duration such as 2h or a time such as 2026-03-01T02:00:00Z, not "yesterday"`},
		"no log":          {[]string{"record", "--config", written(t, "bus: {embedded: {data: /tmp/none/at/all}}\nservices: []"), "--out", "x"}, exitStartupFailure, "there is no data directory /tmp/none/at/all"},
		"no brokers": {[]string{"record", "--config", written(t, "bus: {secret: 0123456789abcdef, brokers: ['127.0.0.1:1']}\nservices: []"), "--out", "x"}, exitFailed,
			"Kafka is unreachable at 127.0.0.1:1"},
		"no place": {[]string{"record", "--config", config, "--out", "/tmp/none/at/all/x"}, exitStartupFailure, "write /tmp/none/at/all/x"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, failed := logstream(tt.args...)
			if code != tt.code || out != "" || !strings.Contains(failed, tt.want) {
				t.Errorf("exit %d, %q, %q, want %d, %q", code, out, failed, tt.code, tt.want)
			}
		})
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "x" {
		t.Errorf("the file that was there is %q, %v", text, err)
	}
}

func TestReplayNamesTheLineThatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.jsonl.gz")
	recordTo(t, file)
	lines := strings.SplitAfter(unpacked(t, file), "\n")
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ content, want string }{
		"cut off":        {strings.Join(lines[:5], ""), ": line 6: the recording ends early: it was cut off"},
		"cut off packed": {string(packed[:len(packed)-20]), "the recording ends early: it was cut off"},
		"foreign":        {"services: []\n", ": line 1: the file is not a logstream recording"},
		"no record":      {lines[0] + "{}\n" + strings.Join(lines[1:], ""), ": line 2: is not a record"},
		"empty":          {"", ": line 1: the file is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, tt.content)
			code, out, failed := logstream("replay", path)
			if code != exitStartupFailure || out != "" || !strings.Contains(failed, path+": ") || !strings.Contains(failed, tt.want) {
				t.Errorf("exit %d, %q, %q", code, out, failed)
			}
		})
	}
	if code, _, failed := logstream("replay", "/tmp/none"); code != exitStartupFailure || failed != "logstream: /tmp/none: the recording cannot be opened: no such file or directory; give a file that logstream record has written\n" {
		t.Errorf("no file: exit %d, %s", code, failed)
	}
}

func TestUnsignedRecordsAreNotPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.jsonl.gz")
	recordTo(t, file)
	forged := strings.ReplaceAll(unpacked(t, file), `"signed":true`, `"signed":false`)
	code, out, _ := logstream("replay", written(t, forged))
	if code != exitDone || !strings.Contains(out, "No incidents recorded") || strings.Contains(out, "DOWN") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if !strings.HasSuffix(out, "\n9 records without LogStream's signature changed nothing.\n") {
		t.Errorf("what was passed over is not counted:\n%s", out)
	}
}
