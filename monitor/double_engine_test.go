package monitor

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"logstream/internal/container"
)

// pastPause is how slowly a scriptedRuntime reports the past.
const pastPause = 50 * time.Millisecond

// scriptedRuntime is an engine whose containers and events a test sets. It
// keeps all of its history, and sends it again to a stream that begins in the past.
type scriptedRuntime struct {
	container.Runtime // what the monitor doesn't use

	mu          sync.Mutex
	states      map[string]container.State // by name
	many        map[string][]string        // references that are ambiguous
	history     []container.Event
	unreachable bool
	hung        bool
	slow        time.Duration // an inspection takes so long
	inspections int           // that were begun
	since       []time.Time   // from where its streams began
	live        chan container.Event
	lost        chan struct{} // closed: the stream ends
}

func newScripted(states ...container.State) *scriptedRuntime {
	r := &scriptedRuntime{states: map[string]container.State{}, many: map[string][]string{}}
	for _, s := range states {
		r.states[s.Name] = s
	}
	return r
}

func (r *scriptedRuntime) answer(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hung {
		r.mu.Unlock()
		<-ctx.Done()
		r.mu.Lock()
		return ctx.Err()
	}
	if r.unreachable {
		return container.ErrUnavailable
	}
	return nil
}

// answerSlowly answers after the time that reads of one container take.
func (r *scriptedRuntime) answerSlowly(ctx context.Context) error {
	if err := r.answer(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	slow := r.slow
	r.inspections++
	r.mu.Unlock()
	time.Sleep(slow)
	return nil
}

func (r *scriptedRuntime) Info(ctx context.Context) (container.Info, error) {
	return container.Info{Kind: "scripted"}, r.answer(ctx)
}

func (r *scriptedRuntime) Find(ctx context.Context, ref string) (container.State, error) {
	if err := r.answerSlowly(ctx); err != nil {
		return container.State{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if names := r.many[ref]; names != nil {
		return container.State{}, &container.AmbiguousError{Ref: ref, Candidates: names}
	}
	for _, s := range r.states {
		if s.Name == ref || s.Project+"/"+s.Service == ref {
			return s, nil
		}
	}
	return container.State{}, container.ErrNotFound
}

func (r *scriptedRuntime) Inspect(ctx context.Context, id string) (container.State, error) {
	if err := r.answerSlowly(ctx); err != nil {
		return container.State{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.states {
		if s.ID == id {
			return s, nil
		}
	}
	return container.State{}, container.ErrNotFound
}

func (r *scriptedRuntime) Events(ctx context.Context, since time.Time, ready func(), handle func(container.Event)) error {
	if err := r.answer(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	r.since = append(r.since, since)
	live, lost := make(chan container.Event, 1000), make(chan struct{})
	r.live, r.lost = live, lost
	past := slices.Clone(r.history)
	r.mu.Unlock()
	ready()
	for _, e := range past {
		if !since.IsZero() && !e.Time.Before(since) {
			time.Sleep(pastPause)
			handle(e)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-lost:
			return io.ErrUnexpectedEOF
		case e := <-live:
			handle(e)
		}
	}
}

// happen changes a container, and sends the event where the stream is read.
func (r *scriptedRuntime) happen(s container.State, actions ...container.Action) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.states[s.Name]; s.StartedAt.IsZero() && before.ID == s.ID {
		s.StartedAt = before.StartedAt // of the last life, also after its end
	}
	r.states[s.Name] = s
	for _, a := range actions {
		e := container.Event{
			Time: r.clock(), Name: s.Name, ID: s.ID, Action: a, ExitCode: s.ExitCode,
			Project: s.Project, Service: s.Service, Replace: s.Replacing,
		}
		r.history = append(r.history, e)
		if r.live != nil {
			r.live <- e
		}
	}
}

// clock is the engine's: no two events have the same time.
func (r *scriptedRuntime) clock() time.Time {
	return time.Now().Add(time.Duration(len(r.history)))
}

// emit sends events of which nothing is to be seen.
func (r *scriptedRuntime) emit(events ...container.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		e.Time = r.clock()
		r.history = append(r.history, e)
		if r.live != nil {
			r.live <- e
		}
	}
}

// send sends an event with the time that it has.
func (r *scriptedRuntime) send(e container.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live <- e
}

// rename gives a container another name, and remove removes one.
func (r *scriptedRuntime) rename(from, to string) {
	var id string
	r.set(func() {
		s := r.states[from]
		delete(r.states, from)
		s.Name, id = to, s.ID
		r.states[to] = s
	})
	r.emit(container.Event{Name: to, ID: id, Action: container.ActionRename})
}

func (r *scriptedRuntime) remove(name string) {
	var id string
	r.set(func() {
		id = r.states[name].ID
		delete(r.states, name)
	})
	r.emit(container.Event{Name: name, ID: id, Action: container.ActionDestroy})
}

// lose ends the stream; the engine stays unreachable.
func (r *scriptedRuntime) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unreachable = true
	close(r.lost)
	r.live = nil
}

func (r *scriptedRuntime) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}
