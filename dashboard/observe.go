package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

const (
	maxRecords   = 1000 // of one POST of observations
	maxSource    = 100  // characters of an instance or a check
	maxErrorText = 4000 // characters
)

// apiSource marks a source that speaks over HTTP. What we publish carries our
// signature, and must not pass for an observation of ours, or of any other
// instance: so the name that was given is never used as it is.
const apiSource = "api:"

func (r *run) postHealthLogs(w http.ResponseWriter, req *http.Request) {
	all, bad := body(w, req, maxObserved)
	if bad.is() {
		fail(w, bad.status, bad.why)
		return
	}
	values, err := records(all)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if len(values) > maxRecords {
		failf(w, http.StatusRequestEntityTooLarge, "the request holds %d records; at most %d are allowed", len(values), maxRecords)
		return
	}
	logs, at := make([]event.HealthLog, len(values)), now()
	for i, value := range values {
		if logs[i], err = observed(value, at); err != nil {
			failf(w, http.StatusBadRequest, "record %d: %s", i+1, err)
			return
		}
	}
	if r.publish(w, req, logs) {
		reply(w, http.StatusAccepted, accepted{Accepted: len(logs)})
	}
}

// accepted is the answer to observations.
type accepted struct {
	Accepted int      `json:"accepted"`
	Skipped  []string `json:"skipped,omitempty"` // why parts of a hook's body are left out
}

// publish hands observations to the log. Where Kafka is unreachable it answers
// itself.
func (r *run) publish(w http.ResponseWriter, req *http.Request, logs []event.HealthLog) bool {
	if r.deps.Ready != nil {
		ctx, cancel := context.WithTimeout(req.Context(), appendWithin)
		defer cancel()
		if err := r.deps.Ready(ctx); err != nil {
			r.log.Warn("health logs refused: Kafka is unreachable", "records", len(logs), "error", err)
			fail(w, http.StatusServiceUnavailable, "Kafka is unreachable: nothing was recorded; try again when GET /readyz answers 200")
			return false
		}
	}
	for _, h := range logs {
		r.deps.Log.Enqueue(event.TopicHealth, h.Service, event.Encode(h))
	}
	return true
}

// records splits a body into its record, or the records of its array.
func records(all []byte) ([]json.RawMessage, error) {
	all = bytes.TrimSpace(all)
	switch {
	case len(all) == 0:
		return nil, errors.New("the body is empty")
	case all[0] != '[':
		return []json.RawMessage{all}, nil
	}
	var values []json.RawMessage
	if err := json.Unmarshal(all, &values); err != nil {
		return nil, notJSON(all)
	}
	return values, nil
}

// observation is what another program sends of a service.
type observation struct {
	Timestamp float64 `json:"timestamp"` // when the check began, in seconds since the epoch; absent: now
	Service   string  `json:"service"`
	Status    string  `json:"status"`     // UP, DEGRADED or DOWN
	Code      int     `json:"code"`       // of HTTP; absent: 0
	LatencyMS float64 `json:"latency_ms"` // of the whole check, in milliseconds
	Check     string  `json:"check"`
	Error     string  `json:"error"`    // why it is not UP
	Instance  string  `json:"instance"` // the program that reports it; recorded as "api:" and this name
}

// observed is what another program saw, as it is published. Where it has no
// timestamp it was seen at now.
func observed(value []byte, now time.Time) (event.HealthLog, error) {
	given := observation{Timestamp: event.Seconds(now)}
	if err := decodeKnown(value, &given); err != nil {
		return event.HealthLog{}, err
	}
	for name, text := range map[string]string{"instance": given.Instance, "check": given.Check} {
		if len([]rune(text)) > maxSource {
			return event.HealthLog{}, fmt.Errorf("%q is longer than %d characters", name, maxSource)
		}
	}
	if len([]rune(given.Error)) > maxErrorText {
		return event.HealthLog{}, fmt.Errorf(`"error" is longer than %d characters`, maxErrorText)
	}
	h := event.HealthLog{
		Timestamp: given.Timestamp, Service: given.Service, Status: event.Status(given.Status), Code: given.Code,
		LatencyMS: given.LatencyMS, Check: given.Check, Error: redact.Text(text.Line(given.Error)),
		Origin: event.Origin{Instance: apiSource + given.Instance}, // neither host nor claim: those are an owner's
	}
	return h, event.CheckHealthLog(h)
}
