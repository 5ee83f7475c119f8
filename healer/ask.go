package healer

import (
	"context"
	"errors"
	"strings"
	"time"

	"logstream/healer/llm"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/redact"
)

const (
	modelEach   = 5 * time.Second // how often the model is looked for, beside every incident
	modelWithin = 2 * time.Second // and how long that may take
	thinkEach   = 250 * time.Millisecond
)

// Readiness says whether the model can be asked, and why not.
type Readiness struct {
	Ready bool
	Why   string
}

const notHeard = "it has not been contacted yet"

// LLM says whether the model can be asked. Safe for concurrent use.
func (h *Healer) LLM() Readiness { return *h.model.Load() }

// watchModel looks for the model until ctx ends, so that an incident knows at
// once whether there is one to be asked. What is away is looked for again; it
// stops nobody.
func (l *life) watchModel(ctx context.Context) error {
	timer := time.NewTicker(modelEach)
	defer timer.Stop()
	seen := false // in this life: then it is missed where it goes away
	for {
		if l.asking.Load() == 0 { // a model that is at work may be slow to say that it is there; its answer tells
			look, cancel := context.WithTimeout(ctx, modelWithin)
			err := l.deps.Model.Check(look)
			cancel()
			if ctx.Err() != nil {
				return nil
			}
			seen = seen || err == nil
			l.modelIs(ctx, err, seen)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.relook:
		case <-timer.C:
		}
	}
}

// modelIs tells everybody how the model is. Where nobody asked for a model and
// none ever answered, its absence is no trouble, and no incident speaks of it.
func (l *life) modelIs(ctx context.Context, err error, seen bool) {
	now := Readiness{Ready: err == nil}
	var missing *llm.Missing
	switch {
	case errors.As(err, &missing):
		now.Why = missing.Error()
	case err != nil:
		now.Why = err.Error()
		missing = &llm.Missing{Code: event.InvalidUnreachable, Why: err.Error(), Remedy: health.Remedy{Text: "look at the model's own log"}}
	}
	before := l.Healer.model.Swap(&now)
	missed := l.deps.Config.Decide == DecideLLM || seen || missing == nil || !missing.Unanswered
	told := ModelIs{Ready: now.Ready}
	if missing != nil && missed {
		told.Code, told.Why = missing.Code, missing.Brief()
	}
	l.give(ctx, timed{in: told})
	switch {
	case now.Ready:
		l.deps.Health.Clear(health.LLM)
	case missed:
		l.deps.Health.Report(health.Problem{Part: health.LLM, What: "the model " + l.deps.Config.LLM.Model + " cannot be asked: " + missing.Why,
			Works: "everything: the runbook decides", OnHold: "nothing but the model's view", Remedy: missing.Remedy})
	}
	switch {
	case *before == now:
	case now.Ready:
		l.deps.Logger.Info("the model can be asked", "model", l.deps.Config.LLM.Model)
	case missed:
		l.deps.Logger.Warn("the model cannot be asked: the runbook decides", "model", l.deps.Config.LLM.Model, "error", missing.Why, "fix", missing.Remedy)
	}
}

// ask starts a question. One about the same service that is still under way is
// withdrawn: its facts are of the past.
func (l *life) ask(e Ask) {
	if cancel := l.asks[e.Service]; cancel != nil {
		cancel()
	}
	ctx, cancel := context.WithDeadline(l.work, e.Deadline)
	l.asks[e.Service] = cancel
	l.asking.Add(1)
	l.worker("ask", func() {
		defer cancel()
		defer l.asked()
		thinks := &thinking{life: l, of: e}
		thinks.tell("", false) // so that the page says that it is asked
		answer := l.deps.Model.Query(ctx, e.Question, thinks.add)
		if withdrawn := errors.Is(ctx.Err(), context.Canceled); !withdrawn {
			thinks.tell(thinks.waiting.String(), true)
		}
		l.deps.Logger.Info("the model was asked", "service", e.Service, "incident", e.Incident, "invalid", answer.Invalid)
		l.give(l.work, timed{in: Answered{Service: e.Service, Incident: e.Incident, Request: e.Request, Answer: answer}})
	})
}

// asked books the end of a question, after which the model is looked for: it may
// be gone, and whoever comes next need not find out.
func (l *life) asked() {
	l.asking.Add(-1)
	select {
	case l.relook <- struct{}{}:
	default:
	}
}

// withdraw ends the question about a service whose incident has ended.
func (l *life) withdraw(service string) {
	if cancel := l.asks[service]; cancel != nil {
		cancel()
		delete(l.asks, service)
	}
}

// thinking puts what a model writes onto the log while it writes it, a few
// records a second. It is nobody's state: what counts is kept with the incident.
type thinking struct {
	*life
	of      Ask
	waiting strings.Builder
	told    time.Time
}

func (t *thinking) add(text string) {
	t.waiting.WriteString(text)
	if time.Since(t.told) >= thinkEach {
		t.tell(t.waiting.String(), false)
	}
}

func (t *thinking) tell(text string, done bool) {
	t.waiting.Reset()
	t.told = time.Now()
	t.deps.Log.Enqueue(event.TopicThinking, t.of.Service, event.Encode(event.Thinking{Time: t.told.UTC(), Incident: t.of.Incident,
		Service: t.of.Service, Text: redact.Text(strings.ToValidUTF8(text, "")), Done: done,
		Origin: event.Origin{Instance: t.deps.Instance, Host: t.deps.Host}}))
}
