package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"logstream/internal/event"
)

func TestProbePassesTheDefinitionOnAndItsResultBack(t *testing.T) {
	s := unlimited(t)
	for _, tt := range []struct {
		body, want string
		status     int
	}{
		{`{"service":{"url":"tcp://db:5432","x":{"y":[1]}}}`, `"url":"{\"url\":\"tcp://db:5432\",\"x\":{\"y\":[1]}}"`, http.StatusOK},
		{``, `\"service\" is missing`, http.StatusBadRequest},
		{`{}`, `\"service\" is missing`, http.StatusBadRequest},
		{`{"service":null}`, `\"service\" must be an object, not null`, http.StatusBadRequest},
		{`{"service":"web"}`, `\"service\" must be an object, not a string`, http.StatusBadRequest},
		{`{"service":[{}]}`, `\"service\" must be an object, not an array`, http.StatusBadRequest},
		{`{"sevice":{}}`, `unknown field \"sevice\"; did you mean \"service\"?`, http.StatusBadRequest},
	} {
		resp, answer := s.do("POST", "/api/v1/probe", tt.body, nil)
		if resp.StatusCode != tt.status || !strings.Contains(string(answer), tt.want) {
			t.Errorf("%s: %d %s, want %d %s", tt.body, resp.StatusCode, answer, tt.status, tt.want)
		}
	}
	if got := s.log.On(event.TopicHealth); len(got) != 0 {
		t.Errorf("a probe published %d health logs", len(got))
	}
}

func TestProbeOfAWrongDefinitionSaysWhy(t *testing.T) {
	s := serve(t, func(d *Deps) {
		d.Probe = func(context.Context, json.RawMessage) (event.Probe, error) {
			return event.Probe{}, errors.New("service.url: is missing")
		}
	})
	resp, answer := s.do("POST", "/api/v1/probe", `{"service":{}}`, nil)
	if resp.StatusCode != http.StatusBadRequest || decode[failure](t, answer).Error != "service.url: is missing" {
		t.Errorf("answered %d %s", resp.StatusCode, answer)
	}
}

func TestProbesAreFewAtATime(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	s := serve(t, func(d *Deps) {
		d.Probe = func(ctx context.Context, _ json.RawMessage) (event.Probe, error) {
			begun <- struct{}{}
			<-end
			return event.Probe{Status: event.Up}, nil
		}
	})
	done := make(chan int)
	for range maxProbes {
		go func() { done <- s.status("POST", "/api/v1/probe", `{"service":{}}`, nil) }()
		<-begun
	}
	if got := s.status("POST", "/api/v1/probe", `{"service":{}}`, nil); got != http.StatusTooManyRequests {
		t.Errorf("one more is answered with %d", got)
	}
	close(end)
	for range maxProbes {
		if got := <-done; got != http.StatusOK {
			t.Errorf("one of the first is answered with %d", got)
		}
	}
}
