package healer

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/healer/llm"
	"logstream/internal/event"
	"logstream/internal/health"
)

// scriptedModel is one whose answers and absence a test decides.
type scriptedModel struct {
	check func() error
	query func(ctx context.Context, reported func(string)) llm.Answer
}

func (m scriptedModel) Check(context.Context) error { return m.check() }

func (m scriptedModel) Query(ctx context.Context, _ llm.Question, reported func(string)) llm.Answer {
	return m.query(ctx, reported)
}

// pieces keeps what is written of a model's thinking.
type pieces struct {
	Log
	mu  sync.Mutex
	all []event.Thinking
}

func (p *pieces) Enqueue(_, _ string, value []byte) {
	piece, err := event.DecodeThinking(value)
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, piece)
}

// alive is a life without a loop.
func alive(t *testing.T, m Model, decide Decide) (*life, *pieces) {
	t.Helper()
	config := Default()
	config.Decide = decide
	written := &pieces{}
	group, ctx := errgroup.WithContext(t.Context())
	l := &life{Healer: New(Deps{Log: written, Model: m, Config: config, Logger: slog.New(slog.DiscardHandler), Health: &health.Registry{}}),
		inputs: make(chan timed, 100), work: ctx, group: group, queries: map[string]context.CancelFunc{}, recheck: make(chan struct{}, 1)}
	t.Cleanup(func() {
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	})
	return l, written
}

func next[T Input](t *testing.T, l *life) T {
	t.Helper()
	select {
	case in := <-l.inputs:
		return in.in.(T)
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within 10 s")
		panic("unreachable")
	}
}

func TestWithdrawnQueryEndsWithoutLastPiece(t *testing.T) {
	began := make(chan struct{}, 2)
	l, written := alive(t, scriptedModel{query: func(ctx context.Context, reported func(string)) llm.Answer {
		began <- struct{}{}
		reported("hm")
		<-ctx.Done()
		return llm.Answer{Invalid: "the question was withdrawn"}
	}}, DecideLLM)
	l.query(Query{Service: "a", Incident: "i1", Request: 1, Deadline: time.Now().Add(time.Minute)})
	<-began
	l.query(Query{Service: "a", Incident: "i1", Request: 2, Deadline: time.Now().Add(50 * time.Millisecond)})
	if first := next[Answered](t, l); first.Request != 1 {
		t.Errorf("the withdrawn query ends last: %+v", first)
	}
	next[Answered](t, l)
	written.mu.Lock()
	defer written.mu.Unlock()
	done := 0
	for _, piece := range written.all {
		if piece.Done {
			done++
		}
	}
	if done != 1 || !written.all[len(written.all)-1].Done {
		t.Errorf("%d last pieces in %+v, want that of the second query", done, written.all)
	}
	select {
	case <-l.recheck:
	case <-time.After(10 * time.Second):
		t.Error("after a query the model is not checked")
	}
}

func TestMissingModelIsReportedWhereItIsWanted(t *testing.T) {
	gone := &llm.Missing{Why: "nothing listens there", Remedy: health.Remedy{Command: "ollama serve"}, Unanswered: true}
	unpulled := &llm.Missing{Why: "no such model", Remedy: health.Remedy{Command: "ollama pull m"}}
	for _, tt := range []struct {
		name    string
		decide  Decide
		answers []error
		why     string // that the last incident would say
		remedy  string // of the problem; empty: there is none
	}{
		{"there", DecideLLM, []error{nil}, "", ""},
		{"wanted, and not there", DecideLLM, []error{gone}, "nothing listens there", "ollama serve"},
		{"none is wanted", "", []error{gone}, "", ""},
		{"none is wanted, and it became unreachable", "", []error{nil, gone}, "nothing listens there", "ollama serve"},
		{"none is wanted, and it is not pulled", "", []error{unpulled}, "no such model: ollama pull m", "ollama pull m"},
		{"it comes back", DecideLLM, []error{gone, nil}, "", ""},
		{"something else", "", []error{errors.New("odd")}, "odd: see the log of the model's server", "see the log of the model's server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			check := -1
			var l *life
			l, _ = alive(t, scriptedModel{check: func() error {
				if check++; check >= len(tt.answers) {
					cancel()
					return context.Canceled
				}
				select {
				case l.recheck <- struct{}{}: // at once again
				default:
				}
				return tt.answers[check]
			}}, tt.decide)
			if err := l.watchModel(ctx); err != nil {
				t.Fatal(err)
			}
			var last ModelState
			for range tt.answers {
				last = next[ModelState](t, l)
			}
			ready := tt.answers[len(tt.answers)-1] == nil
			if last.Ready != ready || last.Why != tt.why || l.LLM().Ready != ready {
				t.Errorf("the controller gets %+v, the page %+v", last, l.LLM())
			}
			problem, is := l.deps.Health.Get(health.LLM)
			if is != (tt.remedy != "") || problem.Remedy.String() != tt.remedy || is && !strings.Contains(problem.What, "the model deepseek-r1:1.5b is unavailable: ") {
				t.Errorf("the registry has %v: %+v", is, problem)
			}
		})
	}
}

// TestQueryEndsWithItsIncident: a model does not work on what is over.
func TestQueryEndsWithItsIncident(t *testing.T) {
	ended := make(chan struct{})
	l, _ := alive(t, scriptedModel{query: func(ctx context.Context, _ func(string)) llm.Answer {
		<-ctx.Done()
		close(ended)
		return llm.Answer{}
	}}, DecideLLM)
	l.controller = NewController(Setup{Config: l.deps.Config, Instance: "me"}, time.Now())
	l.query(Query{Service: "a", Incident: "i1", Request: 1, Deadline: time.Now().Add(time.Minute)})
	l.report(ReadIncident{event.Incident{ID: "i1", Service: "b", Type: event.TypeResolved}})
	l.report(ReadIncident{event.Incident{ID: "i1", Service: "a", Type: event.TypeDiagnosed}})
	select {
	case <-ended:
		t.Fatal("it was withdrawn by something else")
	case <-time.After(50 * time.Millisecond):
	}
	l.report(ReadIncident{event.Incident{ID: "i1", Service: "a", Type: event.TypeResolved}})
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("it goes on")
	}
	next[Answered](t, l)
}

// TestModelIsNotCheckedDuringQuery: it may be slow to say so.
func TestModelIsNotCheckedDuringQuery(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, _ := alive(t, scriptedModel{check: func() error { t.Error("it was queried"); return nil }}, DecideLLM)
	l.querying.Add(1)
	l.recheck <- struct{}{}
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := l.watchModel(ctx); err != nil {
		t.Error(err)
	}
}
