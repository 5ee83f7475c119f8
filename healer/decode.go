package healer

import (
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

// Each topic's records as inputs.

func readService(r event.Record) (Input, error) {
	s, err := event.DecodeService(r.Value)
	return ReadService{s}, err
}

func readIncident(r event.Record) (Input, error) {
	e, err := event.DecodeIncident(r.Value)
	return ReadIncident{e}, err
}

func readCommand(r event.Record) (Input, error) {
	c, err := event.DecodeCommand(r.Value)
	return ReadCommand{c}, err
}

func readHealth(r event.Record) (Input, error) {
	h, err := event.DecodeHealthLog(r.Value)
	// Any program writes these, and they become part of our own records.
	h.Error, h.Check, h.Instance = redact.Text(text.Line(h.Error)), text.Line(h.Check), text.Line(h.Instance)
	return ReadHealth{h, r.Signed}, err
}

// readDocker skips what is not ours: of an engine only the records of its own
// host's monitor count.
func readDocker(r event.Record) (Input, error) {
	if !r.Signed {
		return nil, nil
	}
	d, err := event.DecodeDocker(r.Value)
	return ReadDocker{d}, err
}
