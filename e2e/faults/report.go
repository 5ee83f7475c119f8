//go:build e2e

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Report is a whole run.
type Report struct {
	Time     time.Time `json:"time"`
	Engine   string    `json:"engine"`
	Version  string    `json:"version"` // of LogStream
	Took     float64   `json:"took_s"`
	Summary  []Score   `json:"summary"`
	Results  []Result  `json:"results"`
	Problems []string  `json:"problems,omitempty"`
}

// Score is how a policy did in all.
type Score struct {
	Policy      string `json:"policy"`
	Scenarios   int    `json:"scenarios"` // that say something about it
	Correct     int    `json:"correct"`   // repaired, or correctly refused
	Harmful     int    `json:"harmful"`
	Missed      int    `json:"missed"`
	Repaired    int    `json:"repaired"` // of those that are to be repaired
	Repairable  int    `json:"repairable"`
	Actions     int    `json:"actions"`
	Wrong       int    `json:"wrong_actions"`
	RecoveredMS int64  `json:"median_recovery_ms"` // from the fault to the first good answer that lasted
	CauseRight  int    `json:"cause_right"`
	Causes      int    `json:"causes"` // that were expected
}

// summary scores the policies, in the order of the results.
func summary(results []Result) (list []Score) {
	for _, r := range results {
		i := slices.IndexFunc(list, func(s Score) bool { return s.Policy == r.Policy })
		if i < 0 {
			list, i = append(list, Score{Policy: r.Policy}), len(list)
		}
		list[i].add(r)
	}
	for i := range list {
		var times []int64
		for _, r := range results {
			if r.Policy == list[i].Policy && r.Verdict == Correct && !r.Refusal && r.Recovered > 0 {
				times = append(times, r.Recovered)
			}
		}
		if slices.Sort(times); len(times) > 0 {
			list[i].RecoveredMS = times[len(times)/2]
		}
	}
	return list
}

func (s *Score) add(r Result) {
	if r.Verdict == NA {
		return
	}
	s.Scenarios++
	switch r.Verdict {
	case Correct:
		s.Correct++
	case Harmful:
		s.Harmful++
	case Missed:
		s.Missed++
	}
	if !r.Refusal {
		s.Repairable++
		if r.Verdict == Correct {
			s.Repaired++
		}
	}
	s.Actions += len(r.Actions)
	s.Wrong += len(r.Wrong)
	if r.CauseRight != nil {
		s.Causes++
		if *r.CauseRight {
			s.CauseRight++
		}
	}
}

// write writes the report as FILE.md and FILE.json.
func (r Report) write(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".json", append(out, '\n'), 0o600); err != nil {
		return err
	}
	return os.WriteFile(file+".md", []byte(r.markdown()), 0o600)
}

func (r Report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Faults\n\n%s, Docker %s, logstream %s, %.0f s.\n\n", r.Time.UTC().Format("2006-01-02 15:04"), r.Engine, r.Version, r.Took)
	b.WriteString("| policy | scenarios | repaired, or correctly refused | harmful | missed | repaired | actions | wrong actions | cause right | median recovery |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range r.Summary {
		fmt.Fprintf(&b, "| %s | %d | **%d** | **%d** | %d | %d of %d | %d | %d | %d of %d | %s |\n", s.Policy, s.Scenarios, s.Correct, s.Harmful, s.Missed,
			s.Repaired, s.Repairable, s.Actions, s.Wrong, s.CauseRight, s.Causes, seconds(s.RecoveredMS))
	}
	for _, s := range r.Summary {
		fmt.Fprintf(&b, "\n## %s\n\n| scenario | fault | verdict | actions | cause | detected | decided | repaired | answers again | verified | what was not right |\n|---|---|---|---|---|---|---|---|---|---|---|\n", s.Policy)
		for _, x := range r.Results {
			if x.Policy != s.Policy {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", x.Scenario, x.Row, x.Verdict, strings.Join(x.Actions, ", "), strings.Join(x.Causes, ", "),
				seconds(x.Detected), seconds(x.Decided), seconds(x.Repaired), seconds(x.Recovered), seconds(x.Verified), cell(slices.Concat(x.Why, x.Collateral)))
		}
	}
	return b.String()
}

// cell is text that breaks no table.
func cell(list []string) string {
	return strings.NewReplacer("|", "/", "\n", " ").Replace(strings.Join(list, "; "))
}

func seconds(ms int64) string {
	if ms == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}
