package dashboard

import (
	"encoding/json"
	"net/http"
)

// definition reads the definition of a service from a request's body. Where this instance
// cannot use one, for the reason cannot, or the body is wrong, it writes the response and
// returns false.
func (r *run) definition(w http.ResponseWriter, req *http.Request, can bool, cannot string) (json.RawMessage, bool) {
	if !can {
		fail(w, http.StatusServiceUnavailable, cannot)
		return nil, false
	}
	var ask probeRequest
	if !r.command(w, req, &ask) {
		return nil, false
	}
	switch {
	case len(ask.Service) == 0:
		fail(w, http.StatusBadRequest, `"service" is missing: an object with the keys of a service in config.yaml, such as {"url": "http://localhost:8080"}`)
	case ask.Service[0] != '{':
		failf(w, http.StatusBadRequest, `"service" must be an object, not %s`, kindOfJSON(ask.Service))
	default:
		return ask.Service, true
	}
	return nil, false
}

// linesAnswer is the answer to POST /api/v1/definition.
type linesAnswer struct {
	// YAML is an entry of services, two spaces deep.
	YAML string `json:"yaml"`
}

// postDefinition gives the lines for config.yaml that describe a service. They
// are made here, by the library that reads them, so that what a person types
// cannot become another key or another type. Nothing is saved.
func (r *run) postDefinition(w http.ResponseWriter, req *http.Request) {
	definition, is := r.definition(w, req, r.deps.Lines != nil, "this instance cannot write a definition; see docs/configuration.md")
	if !is {
		return
	}
	lines, err := r.deps.Lines(definition)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, linesAnswer{lines})
}
