package docker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
)

func TestActions(t *testing.T) {
	const id = "57bdd467c4fea50c51562d0529ecb02429a2a54b014613475a3947e32adb6154"
	inject := func(fault string) func(context.Context, *Runtime) error {
		return func(ctx context.Context, r *Runtime) error {
			_, err := NewInjector(r).Inject(ctx, id, fault)
			return err
		}
	}
	start := func(ctx context.Context, r *Runtime) error { return r.Start(ctx, id) }
	unpause := func(ctx context.Context, r *Runtime) error { return r.Unpause(ctx, id) }
	tests := []struct {
		name      string
		do        func(context.Context, *Runtime) error
		call      string // the engine's path
		answer    string // recording
		inspected string // recording, or empty
		says      string // of the error; empty: success
		is        error  // which the error is, or nil: the engine's refusal
	}{
		{"start what runs", start, "start", "start-running", "", "", nil},
		{"start what is paused", start, "start", "start-paused", "inspect-paused", "start container 57bdd467c4fe: the engine refused: cannot start a paused container", nil},
		{"start what isn't there", start, "start", "start-missing", "", "start container 57bdd467c4fe: no such container", container.ErrNotFound},
		{"start without its network", start, "start", "start-network-missing", "inspect-exited", "network gonenet not found", nil},
		{"start without its port", start, "start", "start-port-taken", "inspect-exited", "address already in use", nil},
		{"unpause what runs", unpause, "unpause", "unpause-running", "inspect-running", "", nil},
		{"unpause what ended", unpause, "unpause", "unpause-exited", "inspect-exited", "is not paused", nil},
		{"unpause what is gone by now", unpause, "unpause", "unpause-exited", "inspect-missing", "no such container", container.ErrNotFound},
		{"pause what is paused", inject(container.FaultPause), "pause", "pause-paused", "inspect-paused", "", nil},
		{"kill what ended", inject(container.FaultKill), "kill", "kill-exited", "inspect-exited", "", nil},
		{"stop what ended", inject(container.FaultStop), "stop", "stop-exited", "", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newReplay(t)
			r.file(t, "POST", "/containers/"+id+"/"+test.call, test.answer)
			if test.inspected != "" {
				r.file(t, "GET", "/containers/"+id+"/json", test.inspected)
			}
			err := test.do(t.Context(), r.runtime(t))
			switch {
			case test.says == "":
				if err != nil {
					t.Errorf("got %v, want success", err)
				}
			case err == nil || !strings.Contains(err.Error(), test.says):
				t.Errorf("got %v, want it to say %q", err, test.says)
			case test.is != nil && !errors.Is(err, test.is):
				t.Errorf("got %v, want %v", err, test.is)
			case test.is == nil && (errors.Is(err, container.ErrNotFound) || errors.Is(err, container.ErrUnavailable)):
				t.Errorf("got %v, want a refusal", err)
			}
			if calls := r.calls("POST "); len(calls) != 1 {
				t.Errorf("the calls are %q, want one", calls)
			}
		})
	}
}

// The engine says what it could not execute, with all arguments where these were
// written as one.
func TestARefusedStartHidesSecrets(t *testing.T) {
	kill := func(r *Runtime) func(context.Context, string) error {
		return func(ctx context.Context, id string) error { return r.KillStart(ctx, id, time.Second) }
	}
	for name, test := range map[string]struct {
		call   string
		do     func(r *Runtime) func(context.Context, string) error
		secret bool // the container cannot be inspected
	}{
		"start":           {"start", func(r *Runtime) func(context.Context, string) error { return r.Start }, false},
		"restart":         {"restart", func(r *Runtime) func(context.Context, string) error { return r.Restart }, false},
		"kill and start":  {"restart", kill, false},
		"not inspectable": {"start", func(r *Runtime) func(context.Context, string) error { return r.Start }, true},
	} {
		r := newReplay(t)
		r.on("POST", "/containers/x/"+test.call, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"OCI runtime create failed: exec: \"app --password=canary1 canary-value-2\": \u001b[31mno such file"}`)
		})
		r.on("GET", "/containers/x/json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if test.secret {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, `{"message":"gone"}`)
				return
			}
			_, _ = io.WriteString(w, `{"Id":"x","Image":"i","State":{},"HostConfig":{},"NetworkSettings":{},"Config":{"Env":["API_TOKEN=canary-value-2"]}}`)
		})
		err := test.do(r.runtime(t))(t.Context(), "x")
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\x1b") || strings.Contains(err.Error(), "no such file") == test.secret {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A restart leaves the container its own stop time-out.
func TestRestartNamesNoTimeout(t *testing.T) {
	r := newReplay(t)
	if err := r.runtime(t).Restart(t.Context(), "x"); err == nil {
		t.Error("a restart that the engine doesn't know is success")
	}
	if calls := r.calls("POST "); len(calls) != 1 || calls[0] != "POST /containers/x/restart" {
		t.Errorf("the calls are %q, want a restart without parameters", calls)
	}
}

func TestInjectUnknown(t *testing.T) {
	r := newReplay(t)
	_, err := NewInjector(r.runtime(t)).Inject(t.Context(), "x", container.FaultExit)
	if err == nil || !strings.Contains(err.Error(), "stop, kill, pause") {
		t.Errorf("Inject of a fault of the demo gives %v, want the faults that there are", err)
	}
	if calls := r.calls(""); len(calls) != 0 {
		t.Errorf("the calls are %q, want none", calls)
	}
}
