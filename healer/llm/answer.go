package llm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"logstream/internal/event"
)

// Answer is what came of a question.
type Answer struct {
	// Opinion is what the model holds to be the case, with a legal action; nil
	// where there is none that can be used: Code says why to programs, Invalid to
	// people.
	Opinion *event.Opinion
	Code    event.InvalidCode
	Invalid string
	// The transcript.
	Prompt    string
	Raw       string
	Reasoning string // its thinking
}

const maxWords = 300 // characters of a cause or a why

// parse reads what a model answered. It takes one JSON object whose action is
// one of legal; the rest may be missing or wrong, and is then left out.
func parse(raw string, legal []event.Choice) (*event.Opinion, error) {
	text := strings.TrimSpace(raw)
	// Servers from before thinking was a field of its own leave it in the answer.
	if _, after, found := strings.Cut(text, "</think>"); found && strings.HasPrefix(text, "<think>") {
		text = strings.TrimSpace(after)
	}
	if text == "" {
		return nil, errEmpty
	}
	var said struct {
		Action     any             `json:"action"`
		Cause      any             `json:"cause"`
		Why        any             `json:"why"`
		Confidence json.RawMessage `json:"confidence"`
	}
	if text[0] != '{' || json.Unmarshal([]byte(text), &said) != nil {
		return nil, fmt.Errorf("its answer is not a JSON object: %s", quoted(text))
	}
	action, is := said.Action.(string)
	if !is || action == "" {
		return nil, fmt.Errorf("its answer names no action: %s", quoted(text))
	}
	if !slices.ContainsFunc(legal, func(c event.Choice) bool { return c.Action == action }) {
		return nil, &illegalError{action, legal}
	}
	return &event.Opinion{Cause: words(said.Cause), Action: action, Confidence: share(said.Confidence), Why: words(said.Why)}, nil
}

// illegalError is a choice that was not offered.
type illegalError struct {
	action string
	legal  []event.Choice
}

func (e *illegalError) Error() string {
	return fmt.Sprintf("it chose %s, which is not one of %s", quoted(e.action), names(e.legal))
}

// share is a number from 0 to 1; 0 where it is anything else, such as 1e999.
func share(raw json.RawMessage) float64 {
	var f float64
	if json.Unmarshal(raw, &f) != nil || f < 0 || f > 1 {
		return 0
	}
	return f
}

// words is a sentence of the model's, fit to be shown.
func words(said any) string {
	text, _ := said.(string)
	return oneLine(text, maxWords)
}

// quoted is a piece of what it said, for an error.
func quoted(text string) string { return fmt.Sprintf("%q", oneLine(text, 80)) }

func names(legal []event.Choice) string {
	all := make([]string, len(legal))
	for i, c := range legal {
		all[i] = c.Action
	}
	return strings.Join(all, ", ")
}
