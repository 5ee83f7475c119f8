//go:build e2e

package faults

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"time"
)

// How the suite itself queries each service, with every policy.
const (
	probeEvery   = 200 * time.Millisecond
	probeTimeout = 800 * time.Millisecond
)

// client connects anew for each request: what answered on an old one may be gone.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // whose certificate it is, is the scenario's matter

// prober queries one service all the time, and knows since when it answers well.
type prober struct {
	url    string
	cancel context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex
	good time.Time // when the first good answer of an unbroken row was asked for; zero: the last one was bad
	ever bool      // it answered well
}

func startProber(url string) *prober {
	ctx, cancel := context.WithCancel(context.Background())
	p := &prober{url: url, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		ticker := time.NewTicker(probeEvery)
		defer ticker.Stop()
		for ctx.Err() == nil {
			p.probe(ctx)
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	}()
	return p
}

func (p *prober) probe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	began := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return // unreachable: the address is well formed
	}
	response, err := client.Do(request)
	good := err == nil && response.StatusCode == http.StatusOK
	if err == nil {
		_ = response.Body.Close() // its status says it all
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case good && p.good.IsZero():
		p.good, p.ever = began, true
	case !good && !p.good.IsZero():
		p.good = time.Time{}
	}
}

// since is from when on it answers well without a break; false: it does not.
func (p *prober) since() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.good, !p.good.IsZero()
}

func (p *prober) answered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ever
}

func (p *prober) stop() {
	p.cancel()
	<-p.ended
}
