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
	"logstream/internal/text"
)

const (
	modelEach    = 5 * time.Second // how often the model is checked, beside every incident
	modelWithin  = 2 * time.Second // and how long that may take
	thinkingEach = 250 * time.Millisecond
)

// Readiness says whether the model can be queried, and why not.
type Readiness struct {
	Ready bool
	Why   string
}

const notSeenYet = "the model has not been checked yet"

// LLM says whether the model can be queried. Safe for concurrent use.
func (h *Healer) LLM() Readiness { return *h.model.Load() }

// watchModel checks the model until ctx ends, so that it is known at once
// whether there is one to query. One that is absent is checked again, and delays
// no incident.
func (l *life) watchModel(ctx context.Context) error {
	timer := time.NewTicker(modelEach)
	defer timer.Stop()
	seen := false // in this life: then its absence is a problem
	for {
		if l.querying.Load() == 0 { // a busy model may answer a check late; its answer to the query shows that it is there
			limited, cancel := context.WithTimeout(ctx, modelWithin)
			err := l.deps.Model.Check(limited)
			cancel()
			if ctx.Err() != nil {
				return nil
			}
			seen = seen || err == nil
			l.reportModel(ctx, err, seen)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.recheck:
		case <-timer.C:
		}
	}
}

// reportModel reports the model's state to the controller, the registry and the log.
// Where no model is configured and none ever answered, its absence is no problem,
// and no incident mentions it.
func (l *life) reportModel(ctx context.Context, err error, seen bool) {
	now := Readiness{Ready: err == nil}
	var missing *llm.Missing
	switch {
	case errors.As(err, &missing):
		now.Why = missing.Error()
	case err != nil:
		now.Why = err.Error()
		missing = &llm.Missing{Code: event.InvalidUnreachable, Why: err.Error(), Remedy: health.Remedy{Text: "see the log of the model's server"}}
	}
	before := l.Healer.model.Swap(&now)
	missed := l.deps.Config.Decide == DecideLLM || seen || missing == nil || !missing.Unanswered
	state := ModelState{Ready: now.Ready}
	if missing != nil && missed {
		state.Why, state.Code = missing.Brief(), missing.Code
	}
	l.give(ctx, timed{in: state})
	switch {
	case now.Ready:
		l.deps.Health.Clear(health.LLM)
	case missed:
		l.deps.Health.Report(health.Problem{Part: health.LLM, What: "the model " + l.deps.Config.LLM.Model + " is unavailable: " + missing.Why,
			Works: "checks and repairs: the runbook decides", OnHold: "the model's opinions", Remedy: missing.Remedy})
	}
	switch {
	case *before == now:
	case now.Ready:
		l.deps.Logger.Info("model ready", "model", l.deps.Config.LLM.Model)
	case missed:
		l.deps.Logger.Warn("model unavailable: the runbook decides", "model", l.deps.Config.LLM.Model, "error", missing.Why, "fix", missing.Remedy)
	}
}

// query starts a query. One about the same service that is still under way is
// withdrawn: its facts are of the past.
func (l *life) query(e Query) {
	if cancel := l.queries[e.Service]; cancel != nil {
		cancel()
	}
	ctx, cancel := context.WithDeadline(l.work, e.Deadline)
	l.queries[e.Service] = cancel
	l.querying.Add(1)
	l.worker("query", func() {
		defer cancel()
		defer l.queried()
		thinks := &thinking{life: l, of: e}
		thinks.report("", false) // so that the page shows the query
		answer := l.deps.Model.Query(ctx, e.Question, thinks.add)
		if withdrawn := errors.Is(ctx.Err(), context.Canceled); !withdrawn {
			thinks.report(thinks.waiting.String(), true)
		}
		l.deps.Logger.Info("model queried", "service", e.Service, "incident", e.Incident, "invalid", answer.Invalid)
		l.give(l.work, timed{in: Answered{Service: e.Service, Incident: e.Incident, Request: e.Request, Answer: answer}})
	})
}

// queried books the end of a query, after which the model is checked: it may
// be gone, and the next incident need not find that out.
func (l *life) queried() {
	l.querying.Add(-1)
	select {
	case l.recheck <- struct{}{}:
	default:
	}
}

// withdraw ends the query about a service whose incident has ended.
func (l *life) withdraw(service string) {
	if cancel := l.queries[service]; cancel != nil {
		cancel()
		delete(l.queries, service)
	}
}

// thinking puts what a model writes onto the log while it writes it, a few
// records a second. No state is made of it: what counts is kept with the incident.
type thinking struct {
	*life
	of      Query
	waiting strings.Builder
	toldAt  time.Time
}

func (t *thinking) add(text string) {
	t.waiting.WriteString(text)
	if time.Since(t.toldAt) >= thinkingEach {
		t.report(t.waiting.String(), false)
	}
}

func (t *thinking) report(said string, done bool) {
	t.waiting.Reset()
	t.toldAt = time.Now()
	t.deps.Log.Enqueue(event.TopicThinking, t.of.Service, event.Encode(event.Thinking{Time: t.toldAt.UTC(), Incident: t.of.Incident,
		Service: t.of.Service, Text: redact.Text(text.Block(strings.ToValidUTF8(said, ""))), Done: done,
		Origin: event.Origin{Instance: t.deps.Instance, Host: t.deps.Host}}))
}
