package health

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func parts(b *Registry) []string {
	var names []string
	for _, t := range b.List() {
		names = append(names, t.Part)
	}
	return names
}

func notified(changed <-chan struct{}) bool {
	select {
	case <-changed:
		return true
	default:
		return false
	}
}

func TestTheZeroRegistryIsEmpty(t *testing.T) {
	var b Registry
	if list := b.List(); list == nil || len(list) != 0 {
		t.Errorf("an empty registry lists %v, want an empty list", list)
	}
	if _, is := b.Get(Docker); is {
		t.Error("docker has a problem in an empty registry")
	}
	changed := b.Changed()
	b.Clear(Docker)
	if notified(changed) {
		t.Error("clearing what was well is a change")
	}
}

func TestProblemsAreListedByComponent(t *testing.T) {
	var b Registry
	for _, part := range []string{Monitor, Bus, LLM, Docker, Config} {
		b.Report(Problem{Part: part})
	}
	b.Report(Problem{Part: LLM, What: "again"})
	if got, want := parts(&b), []string{Bus, Config, Docker, LLM, Monitor}; !slices.Equal(got, want) {
		t.Errorf("the order is %v, want %v", got, want)
	}
	b.Clear(Config)
	if got, want := parts(&b), []string{Bus, Docker, LLM, Monitor}; !slices.Equal(got, want) {
		t.Errorf("after one was cleared: %v, want %v", got, want)
	}
}

func TestSinceStaysWhileTheProblemLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Registry
		since := func() time.Time { got, _ := b.Get(Docker); return got.Since }

		began := time.Now()
		b.Report(Problem{Part: Docker, What: "it does not answer"})
		if !since().Equal(began) || since().Location() != time.UTC {
			t.Errorf("it is since %v, want now, %v, in UTC", since(), began.UTC())
		}
		time.Sleep(time.Minute)
		b.Report(Problem{Part: Docker, What: "it refuses", Since: time.Now()})
		if got, _ := b.Get(Docker); !got.Since.Equal(began) || got.What != "it refuses" {
			t.Errorf("raised again it is %+v, want the new words and the old since", got)
		}
		b.Clear(Docker)
		b.Report(Problem{Part: Docker, What: "it does not answer"})
		if !since().Equal(began.Add(time.Minute)) {
			t.Errorf("raised after it was well it is since %v, want a new since", since())
		}
		b.Clear(Docker)
		reported := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		b.Report(Problem{Part: Docker, Since: reported})
		if since() != reported {
			t.Errorf("it is since %v, want what was reported, %v", since(), reported)
		}
	})
}

func TestChangedIsClosedAtEachChange(t *testing.T) {
	var b Registry
	problem := Problem{Part: Bus, What: "a", Works: "b", OnHold: "c", Remedy: Remedy{Text: "d"}}
	steps := []struct {
		name string
		do   func()
		want bool
	}{
		{"raised", func() { b.Report(problem) }, true},
		{"raised the same", func() { b.Report(problem) }, false},
		{"other words", func() { problem.Remedy.Text = "e"; b.Report(problem) }, true},
		{"another part", func() { b.Report(Problem{Part: LLM}) }, true},
		{"a part that is well cleared", func() { b.Clear(Chaos) }, false},
		{"cleared", func() { b.Clear(Bus) }, true},
		{"cleared again", func() { b.Clear(Bus) }, false},
		{"listed", func() { b.List() }, false},
	}
	for _, step := range steps {
		one, other := b.Changed(), b.Changed()
		step.do()
		if notified(one) != step.want || notified(other) != step.want {
			t.Errorf("%s: a change is notified: %v and %v, want %v", step.name, notified(one), notified(other), step.want)
		}
		if notified(b.Changed()) {
			t.Errorf("%s: what is asked for afterwards is closed already", step.name)
		}
	}
}

// TestConcurrentUse has something to say under -race; without it, that no
// change is lost: who waits before each read sees the last state.
func TestConcurrentUse(t *testing.T) {
	var b Registry
	var writers sync.WaitGroup
	for _, part := range []string{Bus, Docker, LLM} {
		writers.Go(func() {
			for range 200 {
				b.Report(Problem{Part: part})
				b.Clear(part)
			}
			b.Report(Problem{Part: part, What: "the last"})
		})
	}
	for {
		changed := b.Changed()
		list := b.List()
		if len(list) == 3 && !slices.ContainsFunc(list, func(t Problem) bool { return t.What != "the last" }) {
			break
		}
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			t.Fatalf("no change came after %v", b.List())
		}
	}
	writers.Wait()
}
