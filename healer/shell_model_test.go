package healer_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"logstream/healer"
	"logstream/healer/llm"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
)

// The model: what is queried, what is shown of it meanwhile, and what ends it.

// memoryModel is a model that thinks aloud, a word at a time, and then chooses
// the first action that is legal.
type memoryModel struct {
	mu      sync.Mutex
	gone    error         // what Check says
	wordFor time.Duration // how long a word takes
	words   []string
	crash   bool
	queries []modelQuery
	checks  []time.Time
}

// modelQuery is a query, and how it ended.
type modelQuery struct {
	service    string
	from, till time.Time
	ended      error // of its context, when it returned
}

// Check is healer.Model's.
func (m *memoryModel) Check(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checks = append(m.checks, time.Now())
	return errors.Join(m.gone, ctx.Err())
}

// Query is healer.Model's.
func (m *memoryModel) Query(ctx context.Context, q llm.Question, thinking func(string)) llm.Answer {
	m.mu.Lock()
	crash, words := m.crash, m.words
	m.mu.Unlock()
	if crash {
		panic("the model's client")
	}
	from := time.Now()
	for _, word := range words {
		if arrive(ctx, time.Now().Add(m.wordFor)) != nil {
			break
		}
		thinking(word)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queries = append(m.queries, modelQuery{q.Service, from, time.Now(), ctx.Err()})
	if ctx.Err() != nil {
		return llm.Answer{Code: event.InvalidLate, Invalid: "it did not answer in time"}
	}
	return llm.Answer{Opinion: &event.Opinion{Cause: "It was killed.", Action: q.Legal[0].Action, Confidence: 0.8}, Reasoning: strings.Join(words, "")}
}

func (m *memoryModel) ended() []modelQuery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]modelQuery(nil), m.queries...)
}

// checked is how often it was checked after from and before till.
func (m *memoryModel) checked(from, till time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, at := range m.checks {
		if at.After(from) && at.Before(till) {
			n++
		}
	}
	return n
}

func (m *memoryModel) setCrash(crash bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crash = crash
}

func (m *memoryModel) setGone(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = err
}

// withModel lets a model decide, about everything.
func withModel(m *memoryModel) func(*site) {
	return func(s *site) {
		s.model = m
		s.config.Decide, s.config.Reflex, s.config.LLM.Timeout = healer.DecideLLM, false, 20*time.Second
	}
}

// thoughts are the records of what a model wrote.
func (s *site) thoughts() []event.Thinking {
	s.Helper()
	var all []event.Thinking
	for _, r := range s.log.records(event.TopicThinking) {
		all = append(all, decode(s.T, r, event.DecodeThinking))
	}
	return all
}

// TestThinkingIsShownWhileItComes: at most four records a second, all of it, and
// no secret.
func TestThinkingIsShownWhileItComes(t *testing.T) {
	m := &memoryModel{wordFor: 20 * time.Millisecond}
	for range 200 {
		m.words = append(m.words, "hm ")
	}
	m.words = append(m.words, "password=hunter2 ", "\xff.")
	onSite(t, []string{"web"}, withModel(m), func(s *site) {
		s.harm("web", container.FaultKill)
		s.repaired("web")
		s.wantCalls("Start web")
		diagnosed := s.events(event.TypeDiagnosed)[0]
		if !strings.HasPrefix(diagnosed.By, event.ByModel) || diagnosed.Data.(event.Diagnosed).Model == nil {
			t.Errorf("it is diagnosed by %s: %+v", diagnosed.By, diagnosed.Data)
		}
		all := s.thoughts()
		if len(all) < 10 || all[0].Text != "" {
			t.Fatalf("%d pieces, the first %q: want an empty one at once", len(all), all[0].Text)
		}
		text := ""
		for i, piece := range all {
			text += piece.Text
			if last := i == len(all)-1; piece.Done != last || piece.Service != "web" || piece.Incident != diagnosed.ID || piece.Instance != instance {
				t.Errorf("piece %d of %d is %+v", i+1, len(all), piece)
			}
			if i > 0 && i < len(all)-1 && piece.Time.Sub(all[i-1].Time) < 250*time.Millisecond {
				t.Errorf("piece %d comes %s after the one before it", i+1, piece.Time.Sub(all[i-1].Time))
			}
		}
		if got := strings.Count(text, "hm "); got != 200 || strings.Contains(text, "hunter2") {
			t.Errorf("the pieces together are %q", text)
		}
	})
}

// TestQueryEndsWithItsIncidentWhateverEndsIt: also with the claim, and the process.
func TestQueryEndsWithItsIncidentWhateverEndsIt(t *testing.T) {
	for name, end := range map[string]func(*site){
		"it recovers":    func(s *site) { s.engine.startOutside("web") },
		"it is removed":  func(s *site) { s.configure() },
		"the claim ends": func(s *site) { s.claimElsewhere() },
		"it is stopped":  func(s *site) { s.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			m := &memoryModel{wordFor: time.Second, words: make([]string, 1000)}
			onSite(t, []string{"web"}, func(s *site) {
				withModel(m)(s)
				s.config.LLM.Timeout = 10 * time.Minute
			}, func(s *site) {
				s.harm("web", container.FaultKill)
				s.until("the query", func() bool { return len(s.thoughts()) > 0 })
				time.Sleep(2 * time.Second)
				end(s)
				s.until("its end", func() bool { return len(m.ended()) > 0 })
				q := m.ended()[0]
				if took := q.till.Sub(q.from); !errors.Is(q.ended, context.Canceled) || took > time.Minute {
					t.Errorf("it ends after %s: %v", took, q.ended)
				}
				for _, piece := range s.thoughts() {
					if piece.Done {
						t.Errorf("a query that was withdrawn has a last piece: %+v", piece)
					}
				}
				s.wantCalls()
			})
		})
	}
}

// TestModelThatIsTooSlowIsNotWaitedForLonger: the runbook decides.
func TestModelThatIsTooSlowIsNotWaitedForLonger(t *testing.T) {
	m := &memoryModel{wordFor: time.Second, words: make([]string, 1000)}
	onSite(t, []string{"web"}, withModel(m), func(s *site) {
		s.harm("web", container.FaultKill)
		s.repaired("web")
		q := m.ended()[0]
		if took := q.till.Sub(q.from); took > 20*time.Second || !errors.Is(q.ended, context.DeadlineExceeded) {
			t.Errorf("it ends after %s: %v", took, q.ended)
		}
		if n := m.checked(q.from, q.till); n > 0 {
			t.Errorf("it is checked %d times while it works", n)
		}
		if d := s.events(event.TypeDiagnosed)[0]; d.By != event.ByRunbook || d.Data.(event.Diagnosed).InvalidCode != event.InvalidLate {
			t.Errorf("it is diagnosed by %s: %+v", d.By, d.Data)
		}
		if all := s.thoughts(); !all[len(all)-1].Done {
			t.Errorf("its last piece is %+v", all[len(all)-1])
		}
	})
}

// TestModelIsCheckedBesideEveryIncident: one that is gone delays none, and one
// that is back is queried.
func TestModelIsCheckedBesideEveryIncident(t *testing.T) {
	m := &memoryModel{wordFor: time.Millisecond, words: []string{"hm"}, gone: &llm.Missing{Code: event.InvalidUnreachable, Why: "nothing listens there", Unanswered: true}}
	onSite(t, []string{"web"}, withModel(m), func(s *site) {
		if problem, is := s.registry.Get(health.LLM); !is || s.healer.LLM().Ready {
			t.Errorf("the registry has %+v, the page %+v", problem, s.healer.LLM())
		}
		s.harm("web", container.FaultKill)
		s.repaired("web")
		if d := s.events(event.TypeDiagnosed)[0]; d.By != event.ByRunbook || d.Data.(event.Diagnosed).InvalidCode != event.InvalidUnreachable || len(m.ended()) > 0 {
			t.Errorf("it is diagnosed by %s: %+v", d.By, d.Data)
		}
		m.setGone(nil)
		s.until("it is back", func() bool { return s.healer.LLM().Ready })
		if _, is := s.registry.Get(health.LLM); is {
			t.Error("it is back, and the registry has it")
		}
		began := time.Now()
		time.Sleep(time.Minute)
		if n := m.checked(began, time.Now()); n < 11 || n > 13 {
			t.Errorf("it is checked %d times a minute", n)
		}
		s.harm("web", container.FaultKill)
		s.until("it is queried", func() bool { return len(m.ended()) > 0 })
		s.until("it is repaired", func() bool { return len(s.calls()) == 2 })
	})
}
