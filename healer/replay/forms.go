package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gopkg.in/yaml.v3"

	"logstream/healer"
	"logstream/internal/container"
	"logstream/internal/service"
)

// containerForm is a container's state; nil is the zero one.
type containerForm struct {
	Name          string        `json:"name,omitempty"`
	ID            string        `json:"id,omitempty"`
	Image         string        `json:"image,omitempty"`
	ImageID       string        `json:"image_id,omitempty"`
	SpecHash      string        `json:"spec_hash,omitempty"`
	Status        string        `json:"status,omitempty"`
	StartedAt     time.Time     `json:"started_at,omitzero"`
	FinishedAt    time.Time     `json:"finished_at,omitzero"`
	ExitCode      int           `json:"exit_code,omitempty"`
	OOMKilled     bool          `json:"oom_killed,omitempty"`
	Error         string        `json:"error,omitempty"`
	RestartPolicy string        `json:"restart_policy,omitempty"`
	RestartCount  int           `json:"restart_count,omitempty"`
	Health        string        `json:"health,omitempty"`
	HealthOutput  string        `json:"health_output,omitempty"`
	StopSignal    string        `json:"stop_signal,omitempty"`
	StopTimeout   time.Duration `json:"stop_timeout_ns,omitempty"`
	Project       string        `json:"project,omitempty"`
	Service       string        `json:"compose_service,omitempty"`
	Replacing     string        `json:"replacing,omitempty"`
	Self          bool          `json:"self,omitempty"`
	HostPorts     string        `json:"host_ports,omitempty"`
}

func encodeContainer(c container.State) *containerForm {
	if c == (container.State{}) {
		return nil
	}
	return &containerForm{c.Name, c.ID, c.Image, c.ImageID, c.SpecHash, string(c.Status), c.StartedAt, c.FinishedAt, c.ExitCode, c.OOMKilled, c.Error,
		c.RestartPolicy, c.RestartCount, string(c.Health), c.HealthOutput, c.StopSignal, c.StopTimeout, c.Project, c.Service, c.Replacing, c.Self, c.HostPorts}
}

func (c *containerForm) decode() container.State {
	if c == nil {
		return container.State{}
	}
	return container.State{Name: c.Name, ID: c.ID, Image: c.Image, ImageID: c.ImageID, SpecHash: c.SpecHash, Status: container.Status(c.Status),
		StartedAt: c.StartedAt, FinishedAt: c.FinishedAt, ExitCode: c.ExitCode, OOMKilled: c.OOMKilled, Error: c.Error,
		RestartPolicy: c.RestartPolicy, RestartCount: c.RestartCount, Health: container.Health(c.Health), HealthOutput: c.HealthOutput, StopSignal: c.StopSignal, StopTimeout: c.StopTimeout, Project: c.Project, Service: c.Service,
		Replacing: c.Replacing, Self: c.Self, HostPorts: c.HostPorts}
}

// Codes of a runtime's errors.
const (
	errNotFound    = "not_found"
	errUnavailable = "unavailable"
	errAmbiguous   = "ambiguous"
	errRefused     = "refused" // the engine's own answer
)

// errorForm is an error of a runtime.
type errorForm struct {
	Code       string   `json:"code"`
	Text       string   `json:"text,omitempty"`
	Ref        string   `json:"ref,omitempty"`
	Candidates []string `json:"candidates,omitempty"`
}

func encodeError(err error) *errorForm {
	var ambiguous *container.AmbiguousError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ambiguous):
		return &errorForm{Code: errAmbiguous, Ref: ambiguous.Ref, Candidates: ambiguous.Candidates}
	case errors.Is(err, container.ErrNotFound):
		return &errorForm{Code: errNotFound, Text: err.Error()}
	case errors.Is(err, container.ErrUnavailable):
		return &errorForm{Code: errUnavailable, Text: err.Error()}
	}
	return &errorForm{Code: errRefused, Text: err.Error()}
}

func (e *errorForm) decode() error {
	if e == nil {
		return nil
	}
	switch e.Code {
	case errAmbiguous:
		return &container.AmbiguousError{Ref: e.Ref, Candidates: e.Candidates}
	case errNotFound:
		return &runtimeError{e.Text, container.ErrNotFound}
	case errUnavailable:
		return &runtimeError{e.Text, container.ErrUnavailable}
	}
	return errors.New(e.Text)
}

// runtimeError is an error with a text of its own that is a known one.
type runtimeError struct {
	text string
	is   error
}

func (e *runtimeError) Error() string { return e.text }
func (e *runtimeError) Unwrap() error { return e.is }

// encodeConfig writes a part of the configuration under the names that it has
// in config.yaml, which are public and stay.
func encodeConfig(part any) (json.RawMessage, error) {
	text, err := yaml.Marshal(part)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	var plain any
	if err := yaml.Unmarshal(text, &plain); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return json.Marshal(plain)
}

// decodeServices reads definitions; what a recording does not have is as it is
// by default.
func decodeServices(raw json.RawMessage) ([]service.Definition, error) {
	var each []json.RawMessage
	if err := json.Unmarshal(raw, &each); err != nil {
		return nil, fmt.Errorf("services: %w", err)
	}
	all := make([]service.Definition, len(each))
	for i, one := range each {
		all[i] = service.Default()
		if err := yaml.Unmarshal(one, &all[i]); err != nil { // JSON is YAML
			return nil, fmt.Errorf("services: %w", err)
		}
	}
	return all, nil
}

func decodeHealerConfig(raw json.RawMessage) (healer.Config, error) {
	c := healer.Default()
	if err := yaml.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("healer configuration: %w", err)
	}
	return c, nil
}
