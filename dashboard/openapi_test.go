package dashboard

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	jsonschema "github.com/google/jsonschema-go/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"logstream/dashboard/hook"
	"logstream/dashboard/public"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/link"
	"logstream/internal/schema"
	"logstream/internal/testlog"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// problem is a health.Problem as it is written.
type problem struct {
	Part   string        `json:"part"`
	Since  time.Time     `json:"since"`
	What   string        `json:"what"`    // one sentence
	Works  string        `json:"works"`   // what goes on meanwhile
	OnHold string        `json:"on_hold"` // what waits
	Mend   string        `json:"mend"`    // the remedy in one line
	Remedy health.Remedy `json:"remedy"`
}

// needs are the fields that a request must have; the others may be left out.
var needs = map[reflect.Type][]string{
	reflect.TypeFor[silenceRequest]():     {"for"},
	reflect.TypeFor[chaosRequest]():       {"fault"},
	reflect.TypeFor[proposeRequest]():     {"action", "reason"},
	reflect.TypeFor[probeRequest]():       {"service"},
	reflect.TypeFor[observation]():        {"service", "status"},
	reflect.TypeFor[healRequest]():        nil,
	reflect.TypeFor[answerRequest]():      nil,
	reflect.TypeFor[undoRequest]():        nil,
	reflect.TypeFor[acknowledgeRequest](): nil,
	reflect.TypeFor[noteRequest]():        {"text"},
	reflect.TypeFor[linkForm]():           {"confirm"},
	reflect.TypeFor[holdRequest]():        nil,
	reflect.TypeFor[emptyRequest]():       nil,
}

// described is the document as the routes and types are now.
func described(t *testing.T) []byte {
	t.Helper()
	set := schema.NewOpenAPISet("..")
	set.Names[reflect.TypeFor[event.Incident]()] = "IncidentRecord"
	set.Names[reflect.TypeFor[event.Acknowledged]()] = "AcknowledgedData"
	set.Names[reflect.TypeFor[observation]()] = "ObservationRequest"
	set.Names[reflect.TypeFor[public.Status]()] = "StatusPage"
	set.Names[reflect.TypeFor[public.Service]()] = "PublishedService"
	set.Names[reflect.TypeFor[public.Incident]()] = "PublishedIncident"
	set.Names[reflect.TypeFor[public.Uptime]()] = "PublishedUptime"
	set.Names[reflect.TypeFor[public.Note]()] = "PublishedNote"
	set.As[reflect.TypeFor[health.Problem]()] = reflect.TypeFor[problem]()
	for request, needed := range needs {
		set.Closed[request] = request != reflect.TypeFor[observation]()
		set.Refine[request] = func(s *jsonschema.Schema) { s.Required = needed }
	}
	if err := set.RefineRecords(); err != nil {
		t.Fatal(err)
	}
	api := schema.API{
		Title: "LogStream", Version: "1", Failure: reflect.TypeFor[failure](),
		Description: "What people and programs read of LogStream, and ask of it. Fields may be added; none changes its name, type or meaning.",
		Parameters:  map[string]string{"name": "the name of a service, percent-encoded", "id": "the id of an incident or command", "token": "what a signed link has there"},
		Security: map[string]string{byToken: "dashboard.token of config.yaml, or one of dashboard.tokens; nothing where no credential is configured. Reading needs the role viewer, everything else operator. A session's cookie, or the header of a trusted proxy, counts as well.",
			byHook: "The token of a hook of config.yaml."},
	}
	for _, o := range operations() {
		op := schema.Operation{Method: o.method, Path: o.path, Tag: o.tag, Summary: o.summary, Description: o.description, Body: o.body,
			Optional: o.optional, Several: o.several, Answer: o.answer, Status: o.status, MediaType: o.media, Else: o.otherwise, Security: o.security, Form: o.form, Pages: o.form}
		for _, q := range o.query {
			op.Query = append(op.Query, schema.Parameter{Name: q.name, Description: q.description, Default: q.otherwise, Values: q.values})
		}
		api.Operations = append(api.Operations, op)
	}
	doc, err := set.OpenAPI(api)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIDocument(t *testing.T) {
	doc := described(t)
	if *update {
		if err := os.WriteFile("openapi.json", doc, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(doc, openAPI) {
		t.Error("openapi.json is not what the routes and types say now: go generate ./dashboard, and look at the difference")
	}
}

// TestEveryRouteIsDescribed compares the operations with the routes.
func TestEveryRouteIsDescribed(t *testing.T) {
	routes := map[string]bool{"GET /healthz": true, "GET /readyz": true, "GET /metrics": true, "GET /ws": true}
	r := &run{limits: newLimits()}
	for _, paths := range []map[string]methods{r.api(), r.hooks(), r.acts(), r.published()} {
		for path, answers := range paths {
			for method := range answers {
				routes[method+" "+path] = true
			}
		}
	}
	seen := map[string]bool{}
	for _, o := range operations() {
		route := o.method + " " + strings.NewReplacer("}.md", "}", "}.svg", "}").Replace(o.path) // the route has them in the value
		seen[route] = true
		if !routes[route] {
			t.Errorf("%s is described, and is no route", route)
		}
		if o.summary == "" || o.tag == "" || o.status == 0 {
			t.Errorf("%s has no summary, tag or status", route)
		}
	}
	for route := range routes {
		if !seen[route] {
			t.Errorf("%s is not described: add it to operations", route)
		}
	}
}

// checker holds answers to the document.
type checker struct {
	t        *testing.T
	compiler *validator.Compiler
}

func newChecker(t *testing.T) checker {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	schema.Close(doc) // a field that the document lacks is a fault here
	c := validator.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return checker{t, c}
}

func (c checker) holds(o operation, status string, body []byte) {
	c.t.Helper()
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	made, err := c.compiler.Compile("openapi.json#/paths/" + escape.Replace(o.path) + "/" + strings.ToLower(o.method) +
		"/responses/" + status + "/content/application~1json/schema")
	if err != nil {
		c.t.Errorf("%s %s, %s: %v", o.method, o.path, status, err)
		return
	}
	value, err := validator.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = made.Validate(value)
	}
	if err != nil {
		c.t.Errorf("%s %s answers what its description does not have: %v\n%.2000s", o.method, o.path, err, body)
	}
}

// everything puts one of each on the log: a service that has all fields, an
// incident with an event of every type, observations.
func everything(s *site) {
	s.t.Helper()
	read := func(name string) []byte {
		value, err := os.ReadFile(filepath.Join("../internal/event/testdata", name))
		if err != nil {
			s.t.Fatal(err)
		}
		return value
	}
	s.service(event.Down, func(r *event.Service) {
		golden, err := event.DecodeService(read("service.json"))
		if err != nil {
			s.t.Fatal(err)
		}
		def, written := r.Definition, r.Origin
		*r = golden
		r.Definition, r.Origin, r.Time = def, written, time.Now().UTC()
	})
	files, err := filepath.Glob("../internal/event/testdata/incident_*.json")
	if err != nil || len(files) < 15 {
		s.t.Fatal(files, err)
	}
	seq := 0
	for _, turn := range []event.Type{event.TypeOpened, "", event.TypeReported, event.TypeResolved} { // these have their place
		for _, file := range files {
			e, err := event.DecodeIncident(read(filepath.Base(file)))
			if err != nil {
				s.t.Fatal(err)
			}
			placed := e.Type == event.TypeOpened || e.Type == event.TypeReported || e.Type == event.TypeResolved
			if e.Type != event.TypeClaim && e.Type != event.TypeNoted && (e.Type == turn || turn == "" && !placed) {
				seq++
				s.incident("all", seq, "payment-service", e.Data, e.By)
			}
		}
	}
	for range 3 {
		s.health("payment-service", event.Down, time.Now())
	}
	s.health("foreign", event.Up, time.Now())
	s.set(func() { s.lines = []container.Line{{Time: time.Now(), Text: "started"}} })
	s.registry.Report(health.Problem{Part: health.Docker, Since: time.Now(), What: "Docker is unreachable", Remedy: health.Remedy{Text: "start it", Command: "systemctl start docker"}})
}

// TestEveryAnswerIsAsDescribed calls every route of a dashboard that runs.
func TestEveryAnswerIsAsDescribed(t *testing.T) {
	check := newChecker(t)
	hooks := map[string]struct{ token, body string }{
		hook.Alertmanager: {amToken, golden(t, "alertmanager_firing")}, hook.Gatus: {gatusToken, golden(t, "gatus_triggered")},
		hook.UptimeKuma: {kumaToken, golden(t, "uptime-kuma_down")}, hook.Generic: {genericToken, `{"service":"payment-service","status":"DOWN"}`},
	}
	s := serve(t, func(d *Deps) { withHooks(d); withLinks(d); published(d) }, (*site).claim, waiting, everything)
	token := signer.Sign(linkTo(link.Hold))
	id := s.post("/api/v1/hold", `{"for":"30m"}`)
	called := 0
	for _, o := range operations() {
		of := "x"
		if strings.Contains(o.path, "/commands/") {
			of = id
		}
		path := strings.NewReplacer("{name}", "payment-service", "{id}", of, "{token}", token).Replace(o.path)
		body := ""
		for _, c := range changes {
			if c.method == o.method && c.path == path {
				body = c.body
			}
		}
		var edit func(*http.Request)
		if kind, is := strings.CutPrefix(path, hooksPath); is {
			body, edit = hooks[kind].body, bearing(hooks[kind].token)
		}
		if o.method == http.MethodPost && o.form {
			body, edit = "confirm="+signer.Confirmation(token), asForm
		}
		if o.path == "/ws" {
			_, resp, err := s.dial(nil)
			if err != nil || resp.StatusCode != o.status {
				t.Errorf("/ws: %v", err)
			}
			continue
		}
		resp, answer := s.do(o.method, path, body, edit)
		switch {
		case resp.StatusCode == http.StatusConflict && (strings.HasSuffix(o.path, "/silence") || strings.HasSuffix(o.path, "/deny")): // nothing is silenced, and it was approved
			check.holds(o, "default", answer)
		case resp.StatusCode != o.status:
			t.Errorf("%s %s: %d %s, want %d", o.method, path, resp.StatusCode, answer, o.status)
		case o.answer == nil:
			if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, o.media+";") {
				t.Errorf("%s %s is %s, want %s", o.method, path, got, o.media)
			}
		default:
			check.holds(o, strconv.Itoa(o.status), answer)
		}
		called++
		if strings.HasPrefix(o.path, "/badge/") {
			continue // of what there is not it is grey
		}
		if strings.Contains(o.path, "{") {
			resp, answer := s.do(o.method, strings.NewReplacer("{name}", "nope", "{id}", "nope", "{token}", "nope").Replace(o.path), body, nil)
			if resp.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s of what there is not: %d %s", o.method, o.path, resp.StatusCode, answer)
			}
			if o.answer != nil {
				check.holds(o, "default", answer)
			}
		}
	}
	if called < 30 {
		t.Errorf("%d routes were called", called)
	}
	for _, o := range operations() {
		if o.path == "/api/v1/incidents/{id}" {
			_, answer := s.do("GET", "/api/v1/incidents/all", "", nil)
			check.holds(o, "200", answer)
			contains(t, answer, `"type":"diagnosed"`, `"type":"reported"`, `"type":"weighed"`)
		}
		if o.path == "/readyz" {
			s.set(func() { s.ready = testlog.ErrUnreachable })
			resp, answer := s.do("GET", "/readyz", "", nil)
			check.holds(o, strconv.Itoa(resp.StatusCode), answer)
			contains(t, answer, `"ready":false`, `"troubles":[`)
		}
	}
}

// TestEveryAnswerBeforeAnythingIsKnown: lists are empty and not null.
func TestEveryAnswerBeforeAnythingIsKnown(t *testing.T) {
	check := newChecker(t)
	s := serve(t, func(d *Deps) { d.Services, d.Bus, d.Docker, d.Checks, d.Faults = nothing, nil, nil, nil, nil })
	for _, o := range operations() {
		if o.method == http.MethodGet && o.answer != nil && !strings.Contains(o.path, "{") && o.path != "/status.json" {
			resp, answer := s.do(o.method, o.path, "", nil)
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %d %s", o.path, resp.StatusCode, answer)
			}
			check.holds(o, "200", answer)
		}
	}
}

// TestADescriptionThatLacksAFieldIsFound holds the check itself to its word.
func TestADescriptionThatLacksAFieldIsFound(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	schema.Close(doc)
	c := validator.NewCompiler()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	made, err := c.Compile("openapi.json#/components/schemas/Liveness")
	if err != nil {
		t.Fatal(err)
	}
	for body, valid := range map[string]bool{`{"ok":true}`: true, `{"ok":true,"since":1}`: false, `{}`: false, `{"ok":1}`: false} {
		value, err := validator.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := made.Validate(value); (err == nil) != valid {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestTheListOfCalls: GET /api/v1 has what the document has.
func TestTheListOfCalls(t *testing.T) {
	s := serve(t, nil)
	list := get[[]call](s, "/api/v1")
	if len(list) != len(operations()) || !slices.ContainsFunc(list, func(c call) bool { return c.Path == "/api/v1/summary" && c.Method == "GET" && c.Summary != "" }) {
		t.Errorf("%d calls: %+v", len(list), list)
	}
}
