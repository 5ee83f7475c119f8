//go:build e2e

package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// services are the scenario's entries of config.yaml.
func (s *Stage) services() ([]string, error) {
	var entries []string
	for _, c := range s.Containers {
		if c.Extra {
			continue
		}
		entry := "  - {name: " + s.name(c.Role)
		if !strings.Contains(c.Config, "container:") {
			entry += ", container: " + s.name(c.Role)
		}
		switch c.URL {
		case Own:
			address, err := s.dockerSays("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", s.name(c.Role))
			if err != nil {
				return nil, err
			}
			entry += fmt.Sprintf(", url: 'http://%s:8080'", address)
		case Wrong:
			entry += ", url: 'http://127.0.0.1:1'" // a port that no other test takes meanwhile, either
		case TCP:
			entry += ", url: '" + strings.Replace(s.url(c), "http://", "tcp://", 1) + "'"
		case Published, TLS:
			entry += ", url: '" + s.url(c) + "'"
		}
		if len(c.Needs) > 0 {
			var needs []string
			for _, role := range c.Needs {
				needs = append(needs, s.name(role))
			}
			entry += ", depends_on: [" + strings.Join(needs, ", ") + "]"
		}
		if c.Config != "" {
			entry += ", " + s.names(c.Config)
		}
		entries = append(entries, entry+"}")
	}
	return entries, nil
}

// remembers is how long a service is UP before LogStream has remembered how its container
// was: the checks of a verification, and an inspection.
const remembers = 8 * time.Second

// ready waits until everything is well that should be before the fault, and for LogStream
// that it knows it as such.
func (s *Stage) ready() error {
	for _, c := range s.Containers {
		if c.Down || c.Extra {
			continue
		}
		if err := await(patience, s.name(c.Role)+" is well before the fault", func() bool {
			if s.logs == nil {
				return s.probers[c.Role] == nil || s.probers[c.Role].answered()
			}
			services, err := s.logs.services()
			now := services[s.name(c.Role)]
			return err == nil && now.Status == "UP" && (s.AtOnce || time.Since(now.Since) > remembers)
		}); err != nil {
			return err
		}
	}
	return nil
}

// follow breaks it, watches until it is as it has to be, and for a while longer,
// and reads how it is then.
func (v *view) follow(s *Stage) {
	s.injected = time.Now()
	defer s.note()
	if s.Inject != nil {
		if err := s.Inject(s); err != nil {
			v.refused = fmt.Errorf("inject: %w", err)
			return
		}
	}
	if s.logs == nil {
		s.followPeer()
		return
	}
	reached, deadline := time.Time{}, s.injected.Add(s.Want.within())
	for {
		seen, err := s.view()
		if err == nil {
			v.seen = seen
			v.red = v.red || seen.services[""].Status == "DOWN"
			if reached.IsZero() && slices.ContainsFunc(s.Want.ends(), func(e End) bool { return seen.ended(e, s.Want.Gate) }) {
				reached = time.Now()
			}
		}
		if !reached.IsZero() && time.Since(reached) > s.Want.stay() || reached.IsZero() && time.Now().After(deadline) {
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// note takes down how things are at the end, while the policy still runs.
func (s *Stage) note() {
	s.answering = map[string]time.Time{}
	for role, p := range s.probers {
		if since, is := p.since(); is {
			s.answering[role] = since
		}
	}
	if s.logs != nil && s.Want.Check != nil {
		s.checked = s.Want.Check(s)
	}
}

// followPeer watches until the service answers, and for a while longer.
func (s *Stage) followPeer() {
	limit := min(s.Want.within(), 30*time.Second)
	if s.refusal() {
		time.Sleep(limit)
		return
	}
	_ = await(limit, "it answers", func() bool { // where it does not, that is the verdict's
		since, is := s.probers[""].since()
		return is && since.After(s.injected) && time.Since(since) > 5*time.Second
	})
}
