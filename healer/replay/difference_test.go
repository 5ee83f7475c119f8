package replay

import (
	"path/filepath"
	"strings"
	"testing"
)

// killed is a recorded scenario with one incident.
func killed(t *testing.T) *Recording {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpus, "*EachFaultIsHealed*-kill.1.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recording of a kill: %v", err)
	}
	return load(t, files[0])
}

// change alters the recorded decisions of that type.
func (r *Recording) change(kind, typ string, change func(*step, int)) {
	for i := range r.steps {
		for j, d := range r.steps[i].decisions {
			if d.text("decision") == kind && d.text("type") == typ {
				change(&r.steps[i], j)
				return
			}
		}
	}
}

func TestADifferenceNamesItsInput(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, typ string
		change    func(*step, int)
		want      []string
	}{
		"another action": {doAppend, "diagnosed", func(s *step, i int) { s.decisions[i]["action"] = "restart" },
			[]string{"shop-kill decides", "- ", "append diagnosed action=restart", "append diagnosed action=start", "<- evidence of shop-kill read back"}},
		"one more recorded": {doAppend, "resolved", func(s *step, i int) { s.decisions = append(s.decisions, s.decisions[i]) },
			[]string{"  - ", "append resolved attempts=1"}},
		"one less recorded": {doCall, "", func(s *step, i int) { s.decisions = append(s.decisions[:i:i], s.decisions[i+1:]...) },
			[]string{"  + ", "call action=start"}},
		"another status": {doPublish, "", func(s *step, i int) { s.decisions[i]["status"] = "UP" },
			[]string{"shop-kill publishes", "publish healing=false held= removed=false status=UP"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := killed(t)
			r.change(tt.kind, tt.typ, tt.change)
			got, err := r.Compare()
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range tt.want {
				if !strings.Contains(got, part) {
					t.Errorf("%q is missing in\n%s", part, got)
				}
			}
		})
	}
}

func TestInspectionsAndRepeatedStatesAreNotCompared(t *testing.T) {
	for name, change := range map[string]func(*step, int){
		"a code that is new": func(s *step, i int) { delete(s.decisions[i], "outcome") },
		"an inspection": func(s *step, i int) {
			s.decisions = append(s.decisions, decision{"decision": doInspect, "service": "shop-kill"})
		},
		"a state published anew": func(s *step, i int) { s.decisions = append(s.decisions, repeated()...) },
	} {
		t.Run(name, func(t *testing.T) {
			r := killed(t)
			r.change(doAppend, "verified", change)
			if got, err := r.Compare(); err != nil || got != "" {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
}

func repeated() []decision {
	up := decision{"decision": doPublish, "service": "shop-kill", "removed": false, "status": "UP", "healing": true, "held": ""}
	return []decision{up, up}
}
