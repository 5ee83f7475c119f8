package replay

import (
	"bytes"
	"testing"
	"time"

	"logstream/healer"
)

// TestAnInspectionThatMovedIsAnswered replays a scenario in which every inspection
// had another number than today's: each is answered by what was seen then.
func TestAnInspectionThatMovedIsAnswered(t *testing.T) {
	r := killed(t)
	moved := 0
	for i := range r.steps {
		if seen, is := r.steps[i].in.(healer.Inspected); is {
			seen.Request += 10
			r.steps[i].in = seen
			moved++
		}
		for _, d := range r.steps[i].decisions {
			if d.text("decision") == doInspect {
				d["request"] = float64(d.number("request") + 10)
			}
		}
	}
	if moved == 0 {
		t.Fatal("the scenario has no inspection")
	}
	if got, err := r.Compare(); err != nil || got != "" {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestOwnRecordsAreReadBackAsTodayWroteThem replays a scenario whose recorded events have
// other words, as those of an older version have.
func TestOwnRecordsAreReadBackAsTodayWroteThem(t *testing.T) {
	r := killed(t)
	changed := 0
	for i := range r.steps {
		if read, is := r.steps[i].in.(healer.ReadIncident); is && read.Event.Type == "diagnosed" {
			read.Event.Data = nil
			r.steps[i].in = read
			changed++
		}
	}
	if changed == 0 {
		t.Fatal("the scenario has no diagnosis")
	}
	if got, err := r.Compare(); err != nil || got != "" {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestALateDecisionShiftsItsAnswers holds back what an answer answers: what
// comes of it comes as much later.
func TestALateDecisionShiftsItsAnswers(t *testing.T) {
	r := killed(t)
	const late = 40 * time.Millisecond
	effects := newScript(r).effects
	for key, all := range effects {
		for _, e := range all {
			for _, a := range e.answers {
				if want := r.steps[a.index].at.Sub(e.at); a.delay != want || want < 0 {
					t.Errorf("%s is answered after %v, recorded %v", key, a.delay, want)
				}
			}
		}
	}
	p := &player{script: newScript(r), emitted: map[string]int{}}
	for key, all := range effects {
		if len(all) == 0 || len(all[0].answers) == 0 {
			continue
		}
		first := all[0]
		p.waiting, p.readBack = nil, time.Time{}
		p.answer(key, first.at.Add(late), nil, nil)
		for i, a := range p.waiting {
			if want := r.steps[first.answers[i].index].at.Add(late); !a.at.Equal(want) {
				t.Errorf("%s is answered at %v, want %v", key, a.at, want)
			}
		}
	}
}

// rewritten is a recording as the recorder writes it.
func rewritten(t *testing.T, r *Recording) *Recording {
	t.Helper()
	var out bytes.Buffer
	if err := r.Rewrite(&out); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestTheRecordersOutputIsReadAsItWasPlayed(t *testing.T) {
	r := rewritten(t, killed(t)) // with what a core of today does beside what was recorded
	again := rewritten(t, r)
	if len(again.steps) != len(r.steps) || !again.whole {
		t.Fatalf("%d steps, whole %t, want %d", len(again.steps), again.whole, len(r.steps))
	}
	for i := range r.steps {
		if !again.steps[i].at.Equal(r.steps[i].at) || len(again.steps[i].decisions) != len(r.steps[i].decisions) {
			t.Fatalf("step %d at %v with %v, want at %v with %v", i, again.steps[i].at, again.steps[i].decisions, r.steps[i].at, r.steps[i].decisions)
		}
	}
}

func TestARecordingOfAKilledProcessIsReadAsFarAsItGoes(t *testing.T) {
	var out bytes.Buffer
	if err := killed(t).Rewrite(&out); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(out.Bytes(), []byte("\n"))
	cut := append(bytes.Join(lines[:20], nil), lines[20][:5]...)
	r, err := Read(bytes.NewReader(cut))
	if err != nil || r.whole || len(r.steps) == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got, err := r.Compare(); err != nil || got != "" {
		t.Errorf("%v\n%s", err, got)
	}
	broken := append(bytes.Join(lines[:20], nil), "{}\n"...)
	if _, err := Read(bytes.NewReader(broken)); err == nil || err.Error() != "line 21: is neither an input nor a decision" {
		t.Errorf("a line that is nothing: %v", err)
	}
}
