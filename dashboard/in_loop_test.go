package dashboard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestCallThatWasGivenUpIsNeverRun: where a client disconnects before the loop begins its
// call, the loop never runs it; where the loop has begun, the client gets the result.
func TestCallThatWasGivenUpIsNeverRun(t *testing.T) {
	for name, begins := range map[string]bool{"before the loop begins": false, "after the loop began": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &run{ctx: t.Context(), calls: make(chan func(*loop), 1)}
				ctx, disconnect := context.WithCancel(t.Context())
				begun, goOn, end := make(chan struct{}), make(chan struct{}), make(chan error, 1)
				did := false
				go func() {
					end <- r.inLoop(ctx, func(*loop) {
						close(begun)
						<-goOn
						did = true
					})
				}()
				call := <-r.calls
				if begins {
					go call(nil)
					<-begun
				}
				disconnect()
				synctest.Wait()
				close(goOn)
				if !begins {
					if err := <-end; !errors.Is(err, errEnding) {
						t.Errorf("it ended with %v", err)
					}
					call(nil)
				} else if err := <-end; err != nil {
					t.Errorf("it ended with %v", err)
				}
				if did != begins {
					t.Errorf("it was done: %v", did)
				}
			})
		})
	}
}
