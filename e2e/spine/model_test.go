package spine

import (
	"strings"
	"testing"
	"time"

	"logstream/healer"
	"logstream/healer/llm/llmtest"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/process"
	"logstream/internal/state"
)

const model = "deepseek-r1:1.5b"

// withModelOf configures a server's model.
func withModelOf(server *llmtest.Server) func(*healer.Config) {
	return func(c *healer.Config) {
		c.Decide, c.Reflex = healer.DecideLLM, false
		c.LLM.URL, c.LLM.Timeout, c.Budget.PerHour = server.URL, 3*time.Second, 60
	}
}

// breaks kills the process, and returns what became of it.
func (s *spine) breaks(n int) (*state.Incident, event.Diagnosed) {
	s.t.Helper()
	if _, err := process.NewInjector(s.runtime).Inject(s.t.Context(), s.id, container.FaultKill); err != nil {
		s.t.Fatal(err)
	}
	in := s.healed(n)
	diagnosed, _ := in.Last(event.TypeDiagnosed)
	if got := actions(in); len(got) != 1 || got[0] != "start" || in.How != event.HowHealed {
		s.t.Errorf("incident %d: actions %v, how %q: want one start, healed", n, got, in.How)
	}
	return in, diagnosed.Data.(event.Diagnosed)
}

// problem waits until the registry has, or no longer has, a problem of the model.
func (s *spine) problem(is bool) health.Problem {
	s.t.Helper()
	s.until(10*time.Second, "the registry has the state of the model", func() bool {
		_, there := s.registry.Get(health.LLM)
		return there == is
	})
	problem, _ := s.registry.Get(health.LLM)
	return problem
}

func TestAModelHasASay(t *testing.T) {
	t.Parallel()
	words := strings.SplitAfter("The container was killed. It should be started again. ", " ")
	server := llmtest.Start(t, model, llmtest.Think(words, 100*time.Millisecond, llmtest.Choose("start", "It was killed by hand.")))
	server.Thinks(true)
	s := begin(t, withModelOf(server))

	in, d := s.breaks(1)
	if d.Model == nil {
		t.Fatalf("no view of the model: %+v", d)
	}
	if in.DecidedBy != "llm:"+model || d.Cause != d.Runbook.Cause || d.Model.Cause != "It was killed by hand." || d.Invalid != "" || d.Action != "start" {
		t.Errorf("decided by %s: %+v", in.DecidedBy, d)
	}
	asked := server.Queries()
	if len(asked) != 1 || d.Prompt != asked[0].Messages[1].Content || d.Reasoning != strings.Join(words, "") || !strings.Contains(d.Raw, `"action":"start"`) {
		t.Errorf("queried %d times; kept: %+v", len(asked), d)
	}
	s.until(5*time.Second, "the thinking is on the log", func() bool { return len(s.thinking) > 0 && s.thinking[len(s.thinking)-1].Done })
	text := ""
	for i, piece := range s.thinking {
		if text += piece.Text; piece.Incident != in.ID || piece.Service != "payment-service" || piece.Done != (i == len(s.thinking)-1) {
			t.Errorf("piece %d: %+v", i, piece)
		}
	}
	if text != d.Reasoning || s.thinking[0].Text != "" {
		t.Errorf("thinking %q, the first piece %q", text, s.thinking[0].Text)
	}
	if first, last := s.thinking[0].Time, s.thinking[len(s.thinking)-1].Time; len(s.thinking) > 2+int(last.Sub(first)/(250*time.Millisecond)) {
		t.Errorf("%d pieces in %s: at most 4 a second", len(s.thinking), last.Sub(first))
	}
}

// TestAModelThatBecomesReachableAndUnreachable: whatever becomes of it, each incident is healed,
// says whose choice stood, and why.
func TestAModelThatBecomesReachableAndUnreachable(t *testing.T) {
	t.Parallel()
	server := llmtest.Start(t, model, llmtest.Say("docker rm -f payment-service"))
	s := begin(t, withModelOf(server))
	check := func(n int, invalid string) {
		t.Helper()
		in, d := s.breaks(n)
		if in.DecidedBy != event.ByRunbook || !strings.Contains(d.Invalid, invalid) {
			t.Errorf("incident %d: decided by %s, invalid %q, want %q", n, in.DecidedBy, d.Invalid, invalid)
		}
	}
	check(1, "its answer is not a JSON object")
	server.Script(llmtest.Choose("docker rm -f payment-service", "because I say so"))
	check(2, "which is not one of start, escalate, none")
	server.Script(llmtest.Late(time.Minute, llmtest.Choose("start", "")))
	check(3, "it did not answer within 3s")

	server.Remove()
	if problem := s.problem(true); problem.Remedy.Command != "ollama pull "+model {
		t.Errorf("the registry says %+v", problem)
	}
	asked := len(server.Queries())
	check(4, "ollama pull "+model)

	address := server.Listener.Addr().String()
	server.Close()
	s.until(10*time.Second, "it is known to be gone", func() bool {
		problem, _ := s.registry.Get(health.LLM)
		return strings.Contains(problem.What, "nothing listens")
	})
	check(5, "nothing listens at http://"+address)
	if n := len(server.Queries()); n != asked {
		t.Errorf("%d questions to a model that was known to be absent", n-asked)
	}

	llmtest.StartAt(t, address, model, llmtest.Choose("start", "Killed."))
	s.problem(false)
	if in, _ := s.breaks(6); in.DecidedBy != "llm:"+model {
		t.Errorf("after it is back: decided by %s", in.DecidedBy)
	}
}
