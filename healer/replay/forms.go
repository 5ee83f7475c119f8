package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"gopkg.in/yaml.v3"

	"logstream/healer"
	"logstream/internal/container"
	"logstream/internal/service"
)

// encodeContainer is a container's state; nil is the zero one.
func encodeContainer(c container.State) *container.State {
	if reflect.DeepEqual(c, container.State{}) {
		return nil
	}
	return &c
}

func decodeContainer(c *container.State) container.State {
	if c == nil {
		return container.State{}
	}
	return *c
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
