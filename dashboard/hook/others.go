package hook

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"logstream/internal/event"
)

// readGatus reads what Gatus' provider custom sends, with the body that the
// README gives it.
func readGatus(body []byte) ([]report, []string, error) {
	var sent struct {
		Endpoint string `json:"endpoint"`
		Group    string `json:"group"`
		Status   string `json:"status"`
		Errors   string `json:"errors"`
	}
	if err := decode(body, &sent); err != nil {
		return nil, nil, err
	}
	if sent.Endpoint == "" {
		return nil, nil, errors.New(`"endpoint" is missing: set the body of Gatus' provider custom as the README says`)
	}
	r := report{names: []string{sent.Endpoint}}
	if sent.Group != "" {
		r.names = []string{sent.Group + "/" + sent.Endpoint, sent.Endpoint}
	}
	switch sent.Status {
	case "TRIGGERED":
		r.status = event.Down
	case "RESOLVED":
		r.status = event.Up
	default:
		return nil, nil, errors.New(`"status" must be TRIGGERED or RESOLVED: set it to [ALERT_TRIGGERED_OR_RESOLVED], without placeholders of your own`)
	}
	if sent.Errors != "[RESULT_ERRORS]" { // a Gatus that does not have this placeholder leaves it
		r.why = sent.Errors
	}
	if r.why == "" {
		r.why = "a condition of the endpoint failed"
	}
	return []report{r}, nil, nil
}

// The states of a heartbeat of Uptime Kuma. A pending one is not decided yet,
// and one in maintenance says nothing.
const (
	kumaDown = 0
	kumaUp   = 1
)

// readUptimeKuma reads the JSON of Uptime Kuma's webhook. Messages about no
// heartbeat, such as its test and its warnings about certificates, report
// nothing.
func readUptimeKuma(body []byte) ([]report, []string, error) {
	var sent struct {
		Heartbeat *struct {
			Status *int    `json:"status"`
			Msg    string  `json:"msg"`
			Ping   float64 `json:"ping"`
		} `json:"heartbeat"`
		Monitor *struct {
			Name     string `json:"name"`
			PathName string `json:"pathName"` // with its groups, since 2.0
			Type     string `json:"type"`
		} `json:"monitor"`
		Msg *string `json:"msg"`
	}
	if err := decode(body, &sent); err != nil {
		return nil, nil, err
	}
	switch {
	case sent.Heartbeat == nil && sent.Monitor == nil && sent.Msg != nil:
		return nil, []string{"the message is about no heartbeat"}, nil
	case sent.Heartbeat == nil || sent.Monitor == nil || sent.Heartbeat.Status == nil || sent.Monitor.Name == "":
		return nil, nil, errors.New(`"heartbeat.status" or "monitor.name" is missing: this is not what Uptime Kuma's webhook sends with the request body application/json`)
	}
	r := report{names: nonEmpty(sent.Monitor.PathName, sent.Monitor.Name), check: sent.Monitor.Type, why: sent.Heartbeat.Msg}
	switch *sent.Heartbeat.Status {
	case kumaDown:
		r.status = event.Down
	case kumaUp:
		r.status = event.Up
		r.latencyMS = max(0, sent.Heartbeat.Ping)
	default:
		return nil, []string{"the heartbeat is neither up nor down"}, nil
	}
	return []report{r}, nil, nil
}

// readGeneric reads an object, or an array of them, with the fields of a health
// log, of which service and status are required.
func readGeneric(body []byte) ([]report, []string, error) {
	type one struct {
		Service   string  `json:"service"`
		Status    string  `json:"status"`
		Check     string  `json:"check"`
		Error     string  `json:"error"`
		Code      int     `json:"code"`
		LatencyMS float64 `json:"latency_ms"`
	}
	all := make([]one, 1)
	var err error
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		err = decode(body, &all)
	} else {
		err = decode(body, &all[0])
	}
	switch {
	case err != nil:
		return nil, nil, err
	case len(all) > MaxReports:
		return nil, nil, &TooManyError{len(all)}
	}
	var reports []report
	for i, o := range all {
		status := event.Status(strings.ToUpper(o.Status))
		switch {
		case o.Service == "":
			return nil, nil, fmt.Errorf(`record %d: "service" is missing`, i+1)
		case status != event.Up && status != event.Degraded && status != event.Down:
			return nil, nil, fmt.Errorf(`record %d: "status" must be UP, DEGRADED or DOWN`, i+1)
		case o.LatencyMS < 0:
			return nil, nil, fmt.Errorf(`record %d: "latency_ms" must not be negative`, i+1)
		}
		reports = append(reports, report{names: []string{o.Service}, check: o.Check, status: status, why: o.Error, code: o.Code, latencyMS: o.LatencyMS})
	}
	return reports, nil, nil
}
