package dashboard

import (
	"bytes"
	_ "embed"
	"net/http"
)

// openAPI describes the calls. It is made of operations and their types:
//
//go:generate go test -run TestOpenAPIDocument -update .
//go:embed openapi.json
var openAPI []byte

func (r *run) getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache") // it changes with the version
	_, _ = w.Write(r.description)               // a client that disconnected needs no answer
}

// describedAt is the document of the API that is below base.
func describedAt(base string) []byte {
	return bytes.Replace(openAPI, []byte(`"url": "/"`), []byte(`"url": "`+base+`/"`), 1)
}

// call is one call of the API.
type call struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	Summary string `json:"summary"`
}

func (r *run) getCalls(w http.ResponseWriter, _ *http.Request) {
	list := []call{}
	for _, o := range operations() {
		list = append(list, call{o.method, o.path, o.summary})
	}
	reply(w, http.StatusOK, list)
}
