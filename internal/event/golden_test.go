package event

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	when   = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	later  = when.Add(90 * time.Second)
	origin = Origin{Instance: "host-a", Host: "local", Epoch: 7, Nonce: "n7"}
)

// incidentOf is an event of an incident that says data.
func incidentOf(data Data) Incident {
	return Incident{ID: "in-1", Seq: 3, Time: when, Service: "payment-service", Type: TypeOf(data), By: ByRunbook, Data: data, Origin: origin}
}

// incidentData is one full value of each type of incident event.
func incidentData() []Data {
	return []Data{
		Opened{Error: "HTTP 500", Check: "http", Instance: "host-a", FirstBad: when, Kind: "service", Action: "restart"},
		Evidence{Facts: []Fact{{"state", "exited (137)", true, "the order of events tells"}, {"image", "nginx:1.27", false, ""}},
			Logs: []string{"GET / <500> & more", "panic: ünïcode"}, Truncated: true, FirstSeen: []FirstSeen{{1, 12}}},
		Diagnosed{CauseID: "exited", Cause: "Its process ended by itself.", CausePast: "Its process had ended by itself.", Action: "start", Target: "payment-service", Confidence: 0.95,
			Command: "docker start payment-service",
			Legal:   []Choice{{"A", "start", "loses nothing"}, {"B", "escalate", "a person looks at it"}}, NotOffered: []Refusal{{"restart", "it does not run"}},
			Runbook: &Opinion{"Its process ended by itself.", "start", 0.95, "no kill"}, Model: &Opinion{"It crashed.", "start", 0.8, "exit 1"},
			Asked: "deepseek-r1:1.5b", Reasoning: "first … then", Prompt: "facts", Raw: `{"choice":"A"}`, Invalid: "none", InvalidCode: InvalidNoOpinion},
		ApprovalRequested{Action: "restart", Target: "payment-service", Command: "docker restart payment-service", Undo: "none", Cost: "what is in memory", Reason: "mode is approve", Expires: later,
			Pins: Pins{"c0ffee", "sha256:beef", "5pec", when, "running", later}},
		Approved{"go on"},
		Denied{"not now"},
		Acknowledged{"I am on it"},
		Noted{"in-1", "A disk is ordered.\nIt arrives at noon."},
		ActionStarted{Attempt: 2, Action: "start", Target: "payment-service", Command: "docker start payment-service",
			Pins:    Pins{"c0ffee", "sha256:beef", "5pec", when, "exited", later},
			Expires: later, Verify: 5},
		ActionFinished{Attempt: 2, Action: "start", Target: "payment-service", Command: "docker start payment-service", Outcome: OutcomeNotExecuted,
			Error: NotCarriedOut + "the pins had changed", DurationMS: 412.5, StartedAt: later},
		Verified{false, OutcomeInterrupted, 3, when, Interrupted + "it was stopped from outside"},
		Resolved{HowHealed, 2, 1200, 9400.5, 8000},
		Escalated{Reason: "the budget is spent"},
		Suppressed{Gate: "cooldown", Reason: "it was restarted a moment ago", Until: &later, Root: "db", RootIncident: "in-2"},
		Reported{"# payment-service\n\nwas down for 8 s"},
		Claim{"local", "host-a", 7, "n7", "4c1f-engine"},
	}
}

// TestGolden holds the names and shapes of the contract: every record, byte
// for byte, and read back to the value that it was.
func TestGolden(t *testing.T) {
	exit := 137
	health := HealthLog{Timestamp: 1772366400.123456, Service: "payment-service", Status: Down, Code: 503, LatencyMS: 12.5,
		Check: "http", Error: "HTTP 503, expected 200-399", Failure: FailureStatus, Extra: true, Revision: 41, Origin: origin}
	tests := map[string]struct {
		record any
		decode func([]byte) (any, error)
	}{
		"health": {health, decoded(DecodeHealthLog)},
		"health_hook": {HealthLog{Timestamp: 1772366400, Service: "web", Status: Down, Check: "ServiceDown", Error: "no answer",
			Until: 1772388000.5, Origin: Origin{Instance: "am"}}, decoded(DecodeHealthLog)},
		"health_minimal": {HealthLog{Timestamp: 1772366400, Service: "web", Status: Up, Code: 200}, decoded(DecodeHealthLog)},
		"service": {Service{Time: when, Service: "payment-service",
			Definition: &Definition{Name: "payment-service", URL: "http://localhost:8080/health", Container: "pay", Group: "shop", Note: "when this fails, nobody pays",
				Interval: "10s", Timeout: "5s", FailureThreshold: 3, SuccessThreshold: 2, Window: Window{3, 5}, Push: Push{"15m", "30 2 * * *", "Europe/Rome"}, Expect: Expect{Status: "200-399", Latency: "2s"}, StartPeriod: "30s",
				Heal: Heal{Mode: "auto", Never: []string{"restart"}, ManualStop: "heal", Confirm: true, Self: true,
					Actions: []string{"rollback"}, MaxMemory: "512MiB", Commands: []string{"reload"}},
				Chaos: true, DependsOn: []string{"db"}, Maintenance: []Maintenance{{Cron: "0 3 * * 0", For: "2h0m0s", TimeZone: "Europe/Rome"}}},
			DefinitionHash: "abc123", Status: Down, Since: when, FirstBad: &when, Code: 500, LatencyMS: 3.25, Error: "HTTP 500",
			Sources:   []Source{{"host-a", "http", Down, when}, {"host-a", "container", Up, when}},
			Needs:     []Need{{"db", "config"}, {"vpn", "network"}},
			Container: &ServiceContainer{"pay", "c0ffee", "nginx:1.27", true, "sha256:b"}, Healing: true, Held: "cooldown", HeldReason: "a moment",
			Update: &Update{Image: "pay:2", ImageID: "sha256:b", PreviousImage: "pay:1", PreviousImageID: "sha256:a", Since: when, Until: later, Verdict: UpdateBad,
				Reasons: []UpdateReason{UpdateErrors}, Before: UpdateFigures{300, 1, 2, 9, 0}, After: UpdateFigures{20, 10, 3, 12, 1}, Logs: &UpdateLogs{2, 12, "ERROR no such column"}},
			Trust:         &Trust{14, 13, when},
			SilencedUntil: &later, SilencedBy: "operator:ann", SilenceReason: "a migration", NeverUp: true, Flapping: true, ThresholdsSince: &when, OpenIncident: "in-1", Revision: 42, Origin: origin}, decoded(DecodeService)},
		"service_removed": {Service{Time: when, Service: "old", Status: Pending, Since: when, Sources: []Source{}, Needs: []Need{}, Origin: origin}, decoded(DecodeService)},
		"command": {Command{ID: "c-1", Time: when, By: "operator:ann", Service: "payment-service", Command: CommandHeal,
			Args: CommandArgs{Incident: "in-1", Reason: "because", For: "10m", Action: "restart", Fault: "stop", Undo: true}, Origin: Origin{Instance: "host-a", Host: "local"}}, decoded(DecodeCommand)},
		"command_result": {Command{ID: "c-1", Time: when, By: "operator:ann", Service: AllServices, Command: CommandHold,
			Result: &CommandResult{Error: "there is nothing to hold", Code: RefusedNothing, Legal: []string{}}}, decoded(DecodeCommand)},
		"docker": {Docker{Time: when, Container: "pay", ID: "c0ffee", Action: "die", Signal: "15", ExitCode: &exit, Image: "nginx:1.27",
			Project: "shop", Compose: "pay", Replace: "shop-pay-1", Revision: 43, Origin: origin}, decoded(DecodeDocker)},
		"thinking":           {Thinking{when, "in-1", "payment-service", "exited with 137, and", false, origin}, decoded(DecodeThinking)},
		"docker_health":      {Docker{Time: when, Container: "pay", ID: "c0ffee", Action: "health_status", Health: "unhealthy", Revision: 8, Origin: origin}, decoded(DecodeDocker)},
		"docker_network":     {Docker{Time: when, Container: "pay", ID: "c0ffee", Action: "disconnect", Network: "shop_default", Revision: 9, Origin: origin}, decoded(DecodeDocker)},
		"docker_stream_lost": {Docker{Time: when, Action: StreamLost, Origin: origin}, decoded(DecodeDocker)},
		"rollup": {Rollup{Service: "payment-service", Start: when.Truncate(time.Minute), UpS: 40.5, DegradedS: 2, DownS: 12.25, UnknownS: 5.25, Checks: 27,
			Latency: &Latency{Min: 0.812, P50: 12.3, P95: 88.1, Max: 90, Hist: Histogram{-3, 1, 28, 20, 51, 2}}, Revision: 44, Origin: origin}, decoded(DecodeRollup)},
		"rollup_down": {Rollup{Service: "payment-service", Start: when.Truncate(24 * time.Hour), DownS: 86400, Revision: 45, Origin: origin}, decoded(DecodeRollup)},
		"notification": {Notification{Time: when, Receiver: "phone", Event: "resolved", Outcome: NotificationSent, News: []string{"incident/in-1/9"}, Repeat: 1,
			Service: "payment-service", Incident: "in-1", Title: "payment-service: healed in 42 s", Origin: origin}, decoded(DecodeNotification)},
		"incident_unknown": {incidentOf(Other{"weighed", []byte(`{"grams":3,"of":["x"]}`)}), decoded(DecodeIncident)},
	}
	for _, data := range incidentData() {
		tests["incident_"+string(TypeOf(data))] = struct {
			record any
			decode func([]byte) (any, error)
		}{incidentOf(data), decoded(DecodeIncident)}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".json")
			got := Encode(test.record)
			if *update {
				if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if want = bytes.TrimSuffix(want, []byte("\n")); !bytes.Equal(got, want) {
				t.Errorf("encodes as\n%s\nwant\n%s", got, want)
			}
			back, err := test.decode(want)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, test.record) {
				t.Errorf("reads back as\n%+v\nwant\n%+v", back, test.record)
			}
		})
	}
}

// TestGoldenFilesAreUsed keeps files of names that are gone from staying.
func TestGoldenFilesAreUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if want := 16 + len(incidentData()); len(files) != want {
		t.Errorf("testdata has %d golden files, want %d", len(files), want)
	}
}

func decoded[T any](decode func([]byte) (T, error)) func([]byte) (any, error) {
	return func(value []byte) (any, error) { return decode(value) }
}

// TestRecordsBeforeCodes reads records that were written before failures, causes
// and outcomes had codes: an outcome is what their fields say.
func TestRecordsBeforeCodes(t *testing.T) {
	read := func(name string) []byte {
		value, err := os.ReadFile(filepath.Join("testdata", "before_codes", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	health, err := DecodeHealthLog(read("health"))
	if err != nil || health.Failure != "" || health.Code != 503 {
		t.Errorf("health log: %+v, %v", health, err)
	}
	for name, want := range map[string]Outcome{"incident_action_finished": OutcomeNotExecuted, "incident_verified": OutcomeInterrupted, "incident_diagnosed": ""} {
		in, err := DecodeIncident(read(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := Outcome("")
		switch data := in.Data.(type) {
		case ActionFinished:
			got = data.Outcome
		case Verified:
			got = data.Outcome
		case Diagnosed:
			if data.CauseID != "" || data.InvalidCode != "" {
				t.Errorf("%s: codes out of nothing: %+v", name, data)
			}
		}
		if got != want {
			t.Errorf("%s: outcome %q, want %q", name, got, want)
		}
	}
}
