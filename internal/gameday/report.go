package gameday

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"logstream/internal/event"
)

// Outcome is what became of one injection.
type Outcome string

// Outcomes.
const (
	Healed      Outcome = "healed"       // by a repair that was verified
	Recovered   Outcome = "recovered"    // the service is UP again, and no repair of LogStream did it
	NotHealed   Outcome = "not_healed"   // it did not, within the limit; or a person was called
	NotInjected Outcome = "not_injected" // the fault could not be caused
	Interrupted Outcome = "interrupted"  // the game day was ended meanwhile
	Skipped     Outcome = "skipped"      // its turn did not come
)

// Words are the outcome for people.
func (o Outcome) Words() string {
	if o == Recovered {
		return "recovered without a verified repair"
	}
	return strings.ReplaceAll(string(o), "_", " ")
}

// Result is one injection, and what became of it.
type Result struct {
	Service  string     `json:"service"`
	Fault    string     `json:"fault"`
	Does     string     `json:"does"`
	Outcome  Outcome    `json:"outcome"`
	Injected *time.Time `json:"injected"`
	Incident string     `json:"incident,omitempty"`
	Cause    string     `json:"cause,omitempty"`
	Action   string     `json:"action,omitempty"`
	How      string     `json:"how,omitempty"` // the incident ended: healed or recovered
	Attempts int        `json:"attempts"`
	DownMS   *float64   `json:"down_ms"`
	Undone   bool       `json:"undone"` // by the game day
	Why      string     `json:"why,omitempty"`
}

// Report is a game day.
type Report struct {
	Headline string    `json:"headline"`
	Passed   bool      `json:"passed"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Host     string    `json:"host"`
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Services []string  `json:"services"`
	Results  []Result  `json:"results"`
}

// count is how many results have that outcome.
func (r *Report) count(o Outcome) (n int) {
	for _, result := range r.Results {
		if result.Outcome == o {
			n++
		}
	}
	return n
}

// conclude sums the results up. It passes if something was injected, and LogStream
// healed all of it: what Docker's restart policy started shows no repair.
func (r *Report) conclude() {
	healed, recovered := r.count(Healed), r.count(Recovered)
	injected := healed + recovered + r.count(NotHealed) + r.count(Interrupted)
	parts := []string{fmt.Sprintf("%d faults", injected), fmt.Sprintf("%d healed", healed)}
	if injected == 1 {
		parts[0] = "1 fault"
	}
	for _, o := range []Outcome{Recovered, NotHealed, Interrupted, NotInjected, Skipped} {
		if n := r.count(o); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.Words()))
		}
	}
	var worst float64
	for _, result := range r.Results {
		if result.DownMS != nil {
			worst = max(worst, *result.DownMS)
		}
	}
	if worst > 0 {
		parts = append(parts, fmt.Sprintf("worst %.1f s", worst/1000))
	}
	r.Headline = strings.Join(parts, ", ")
	r.Passed = injected > 0 && healed == injected
}

// JSON is the report for programs.
func (r *Report) JSON() ([]byte, error) {
	content, err := json.MarshalIndent(r, "", "  ")
	return append(content, '\n'), err
}

// Markdown is the report for people.
func (r *Report) Markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Game day: %s\n\n", r.Headline)
	verdict := "passed: every fault was healed"
	switch {
	case r.Passed:
	case r.count(Healed)+r.count(Recovered)+r.count(NotHealed)+r.count(Interrupted) == 0:
		verdict = "not passed: nothing was injected"
	default:
		verdict = "not passed: LogStream did not heal every fault"
	}
	fmt.Fprintf(&b, "- Verdict: %s\n- Time: %s to %s (UTC)\n- Host: %s, instance %s, LogStream %s\n- Services: %s\n\n", verdict,
		r.Started.UTC().Format(time.DateTime), r.Ended.UTC().Format(time.DateTime), cell(r.Host), cell(r.Instance), cell(r.Version), cell(strings.Join(r.Services, ", ")))
	b.WriteString("| service | fault | outcome | down | action | attempts | cause | undone by the game day | incident |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, result := range r.Results {
		down, undone := "", ""
		if result.DownMS != nil {
			down = fmt.Sprintf("%.1f s", *result.DownMS/1000)
		}
		if result.Undone {
			undone = "yes"
		}
		outcome := result.Outcome.Words()
		if result.Why != "" {
			outcome += ": " + result.Why
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d | %s | %s | %s |\n", cell(result.Service), cell(result.Fault), cell(outcome), down,
			cell(result.Action), result.Attempts, cell(result.Cause), undone, cell(result.Incident))
	}
	return []byte(b.String())
}

// cell is text that stays within a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ", "<", "&lt;", "`", "'").Replace(text)
}

// signedAs stands for the topic in a report's signature; it has no key.
const signedAs = "logstream.gameday"

// Sign is the signature of a report's file, by the formula of the records on
// Kafka.
func Sign(secret, content []byte) string { return event.Sign(secret, signedAs, nil, content) }

// Verify says whether the signature is Sign's.
func Verify(secret, content []byte, signature string) bool {
	return event.Verify(secret, signedAs, nil, content, strings.TrimSpace(signature))
}
