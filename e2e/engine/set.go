//go:build e2e

package engine

import (
	"errors"
	"sync"
	"testing"
)

// Set keeps the engines of a package's tests: one of each kind, started when
// a test first asks for it. Close it in TestMain.
type Set struct {
	// Prepare is called with an engine that was just started; nil: nothing is.
	Prepare func(*Engine) error

	mu      sync.Mutex
	started map[Kind]*Engine
}

// Default is the engine of the tests that need only one.
func (s *Set) Default() (*Engine, error) {
	all, err := Kinds()
	if err != nil {
		return nil, err
	}
	return s.get(all[0])
}

// Each runs the test on every engine at once, as parallel subtests named for
// their kind.
func (s *Set) Each(t *testing.T, test func(*testing.T, *Engine)) {
	t.Helper()
	all, err := Kinds()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range all {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			e, err := s.get(kind)
			if err != nil {
				t.Fatal(err)
			}
			test(t, e)
		})
	}
}

func (s *Set) get(kind Kind) (*Engine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.started[kind]; e != nil {
		return e, nil
	}
	e, err := open(kind)
	if err != nil {
		return nil, err
	}
	if s.Prepare != nil {
		if err := s.Prepare(e); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	if s.started == nil {
		s.started = map[Kind]*Engine{}
	}
	s.started[kind] = e
	return e, nil
}

// Close ends the engines with their containers.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, e := range s.started {
		err = errors.Join(err, e.Close())
	}
	s.started = nil
	return err
}
