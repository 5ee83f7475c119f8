package eval

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"logstream/healer/llm"
	"logstream/internal/event"
	"logstream/internal/raced"
	"logstream/internal/service"
)

// mostWeight is what all recordings may weigh, in bytes: they are in every binary.
const mostWeight = 2 << 20

func TestTheRunbookIsRightInEveryRecordedIncident(t *testing.T) {
	raced.Skip(t)
	if *collect != "" {
		collectFrom(t, *collect)
		return
	}
	cases := cases(t)
	if len(cases) < 40 {
		t.Fatalf("%d incidents only", len(cases))
	}
	results := 0
	if err := Run(t.Context(), cases, nil, func(got Result) {
		results++
		if got.Runbook.Verdict != Right || got.Done.Verdict != Right || got.Model != nil {
			t.Errorf("%s: %+v", got.Name, got)
		}
	}); err != nil || results != len(cases) {
		t.Errorf("%d results, %v", results, err)
	}
	refused, used := 0, map[string]bool{}
	for _, c := range cases {
		if slices.Equal(c.Right, []string{service.ActionEscalate}) {
			refused++
		}
		used[c.Recording] = true
	}
	if 5*refused < len(cases) {
		t.Errorf("in %d of %d a person is to be called: fewer than a fifth", refused, len(cases))
	}
	for _, file := range recordings(t) {
		if !used[filepath.Base(file)] {
			t.Errorf("%s belongs to no incident", file)
		}
	}
}

func cases(t *testing.T) []Case {
	t.Helper()
	all, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// one is a model that always chooses the same where it may.
type one struct{ action string }

func (m one) Query(_ context.Context, q llm.Question, _ func(string)) llm.Answer {
	if !slices.ContainsFunc(q.Legal, func(c event.Choice) bool { return c.Action == m.action }) {
		return llm.Answer{Code: event.InvalidIllegal, Invalid: m.action + " is not legal"}
	}
	return llm.Answer{Opinion: &event.Opinion{Action: m.action, Confidence: 1, Why: "because"}}
}

func TestAModelIsScoredByItsOwnChoice(t *testing.T) {
	raced.Skip(t)
	var started, escalated Case
	for _, c := range cases(t) {
		switch {
		case slices.Equal(c.Right, []string{"start"}):
			started = c
		case slices.Equal(c.Right, []string{service.ActionEscalate}):
			escalated = c
		}
	}
	for _, tt := range []struct {
		of          Case
		model       string
		model0, end Verdict
	}{
		{started, "start", Right, Right},
		{started, service.ActionEscalate, Wrong, Right}, // the runbook has a repair
		{started, "recreate", NoUse, Right},
		{escalated, service.ActionEscalate, Right, Right},
	} {
		var got Result
		err := Run(t.Context(), []Case{tt.of}, one{tt.model}, func(r Result) { got = r })
		if err != nil || got.Model == nil || got.Model.Verdict != tt.model0 || got.Done.Verdict != tt.end {
			t.Errorf("%s of a model that chooses %s: %v, model %+v, done %+v", tt.of.Name, tt.model, err, got.Model, got.Done)
		}
	}
}

func TestACancelledRunEnds(t *testing.T) {
	raced.Skip(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, cases(t)[:1], one{"start"}, func(Result) { t.Error("a result") }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestScoreCounts(t *testing.T) {
	choice := func(v Verdict) *Choice { return &Choice{Verdict: v} }
	got := ScoreOf([]Result{
		{Runbook: Choice{Verdict: Right}, Done: Choice{Verdict: Right}, Model: choice(Right), MS: 30},
		{Runbook: Choice{Verdict: Right}, Done: Choice{Verdict: Harmful}, Model: choice(Harmful), MS: 10},
		{Runbook: Choice{Verdict: Wrong}, Done: Choice{Verdict: Right}, Model: choice(NoUse), MS: 20},
	})
	if got.Incidents != 3 || got.Runbook != (Count{Right: 2, Wrong: 1}) || *got.Model != (Count{Right: 1, Harmful: 1, Unusable: 1}) ||
		got.Done != (Count{Right: 2, Harmful: 1}) || got.Median() != 20*time.Millisecond {
		t.Errorf("%+v, model %+v", got, got.Model)
	}
	if alone := ScoreOf([]Result{{Runbook: Choice{Verdict: Right}}}); alone.Model != nil || alone.MedianMS != 0 {
		t.Errorf("without a model: %+v", alone)
	}
}

func TestTheRecordingsWeighLittle(t *testing.T) {
	var all int64
	for _, file := range recordings(t) {
		all += size(t, file)
	}
	if all > mostWeight {
		t.Errorf("%d bytes, and at most %d go into every binary", all, mostWeight)
	}
}
