//go:build e2e

// Package peers has the policies of others who repair containers, written anew
// as small loops over the engine's API, so that the fault suite can run them on
// the same faults.
package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// How the policies poll, and what they give a container to stop.
const (
	autohealEvery = 5 * time.Second // docker-autoheal's AUTOHEAL_INTERVAL
	pocEvery      = 2 * time.Second // the proof of concept's pause between two checks
	stopTimeout   = 10
)

// engine is a Docker engine behind a socket.
type engine struct{ client http.Client }

func dial(socket string) engine {
	return engine{http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}}
}

// unhealthy are the containers whose HEALTHCHECK fails: what docker-autoheal queries
// for, in its words.
func (e engine) unhealthy(ctx context.Context, label string) ([]string, error) {
	filters := fmt.Sprintf(`{"health":["unhealthy"],"label":[%q]}`, label)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/containers/json?filters="+url.QueryEscape(filters), nil)
	if err != nil {
		return nil, err // unreachable: the address is well formed
	}
	response, err := e.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var found []struct{ ID, State string }
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range found {
		if c.State != "restarting" { // it leaves those alone
			ids = append(ids, c.ID)
		}
	}
	return ids, nil
}

// restart is docker restart; whether it worked changes nothing about the policy.
func (e engine) restart(ctx context.Context, container string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://engine/containers/%s/restart?t=%d", container, stopTimeout), nil)
	if err != nil {
		return // unreachable: the address is well formed
	}
	if response, err := e.client.Do(request); err == nil {
		_ = response.Body.Close()
	}
}

// Autoheal restarts, one after another, each container with that label whose
// HEALTHCHECK fails at a poll, as docker-autoheal does.
func Autoheal(ctx context.Context, socket, label string) {
	e := dial(socket)
	every(ctx, autohealEvery, func() {
		ids, err := e.unhealthy(ctx, label)
		if err != nil {
			return
		}
		for _, id := range ids {
			e.restart(ctx, id)
		}
	})
}

// ProofOfConcept checks each target, by name of its container, and answers every
// bad check with a restart, as LogStream-AI's worker does with what its model is
// asked to say. It is better than the original in that the model takes no time
// and never errs, and in that the containers do not wait for each other.
func ProofOfConcept(ctx context.Context, socket string, targets map[string]string) {
	e := dial(socket)
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var all sync.WaitGroup
	for name, target := range targets {
		records := make(chan struct{}, 1000) // the topic between its generator and its worker
		all.Go(func() {
			defer close(records)
			every(ctx, pocEvery, func() {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
				if err != nil {
					return // unreachable: the address is well formed
				}
				response, err := client.Do(request)
				if err == nil {
					_ = response.Body.Close()
				}
				if ctx.Err() == nil && (err != nil || response.StatusCode != http.StatusOK) {
					records <- struct{}{}
				}
			})
		})
		all.Go(func() {
			for range records {
				if ctx.Err() == nil {
					e.restart(ctx, name)
				}
			}
		})
	}
	all.Wait()
}

// every calls do now, and again and again, until ctx ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		do()
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}
