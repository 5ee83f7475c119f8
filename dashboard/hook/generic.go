package hook

import (
	"bytes"
	"fmt"
	"strings"

	"logstream/internal/event"
)

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
