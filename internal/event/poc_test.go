package event

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"
)

// The programs of the proof of concept, LogStream-AI, go on working beside us:
// its generator drives this system, and its worker reads this stream.

func poc(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/poc/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(content)
}

// TestTheGeneratorsRecords are what Python's json.dumps makes of its four
// fields, with time.time() as it is.
func TestTheGeneratorsRecords(t *testing.T) {
	for name, want := range map[string]HealthLog{
		"generator_up.json":   {Timestamp: 1767225600.1234567, Service: "payment-service", Status: Up, Code: 200},
		"generator_down.json": {Timestamp: 1767225602.5, Service: "inventory-service", Status: Down, Code: 500},
	} {
		got, err := DecodeHealthLog(poc(t, name))
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
	if up, _ := DecodeHealthLog(poc(t, "generator_up.json")); !up.Time().Equal(time.Date(2026, 1, 1, 0, 0, 0, 123457000, time.UTC)) {
		t.Errorf("its time is %s", up.Time())
	}
}

// TestTheProofOfConceptWorkerReadsOurRecords: of each of our records it takes these fields, under
// these names, as text and numbers.
func TestTheProofOfConceptWorkerReadsOurRecords(t *testing.T) {
	ours := Encode(HealthLog{Timestamp: 1772366400.123456, Service: "payment-service", Status: Down, Code: 503, LatencyMS: 12.5,
		Check: "http", Error: "HTTP 503, expected 200-399", Extra: true, Origin: origin})
	var all map[string]any
	if err := json.Unmarshal(ours, &all); err != nil {
		t.Fatal(err)
	}
	reads := map[string]any{}
	for _, field := range []string{"timestamp", "service", "status", "code"} {
		reads[field] = all[field]
	}
	got, err := json.Marshal(reads)
	if err != nil {
		t.Fatal(err)
	}
	if want := poc(t, "worker.json"); !bytes.Equal(got, want) {
		t.Errorf("it reads %s, want %s", got, want)
	}
}
