package hook

import (
	"errors"

	"logstream/internal/event"
)

// readGatus reads what Gatus' provider custom sends, with the body in
// docs/hooks.md.
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
		return nil, nil, errors.New(`"endpoint" is missing: set the body of Gatus' custom provider as docs/hooks.md shows`)
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
		return nil, nil, errors.New(`"status" must be TRIGGERED or RESOLVED: in Gatus, set it to [ALERT_TRIGGERED_OR_RESOLVED], and remove the placeholders of the custom provider`)
	}
	if sent.Errors != "[RESULT_ERRORS]" { // a Gatus that does not have this placeholder leaves it
		r.why = sent.Errors
	}
	if r.why == "" {
		r.why = "a condition of the endpoint failed"
	}
	return []report{r}, nil, nil
}
