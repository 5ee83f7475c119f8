// Package rights is the list of the calls that LogStream makes to a Docker engine:
// what a proxy before its socket has to let through, and nothing else. The
// proxy of docker-compose.yml has these, logstream doctor tries these, and the end-to-end
// tests run behind exactly these.
package rights

import (
	"regexp"
	"slices"
	"strings"
)

// Use is what a call is needed for.
type Use string

// What calls are needed for.
const (
	Observe Use = "observe" // without it nothing is monitored or diagnosed
	Repair  Use = "repair"
	Change  Use = "change"  // a repair of tier 2, which changes a container and waits for approval
	Fault   Use = "fault"   // injecting one
	Examine Use = "examine" // logstream doctor alone makes it
)

// Call is one kind of call.
type Call struct {
	Method string
	Path   string // without the API's version; {id}, {name} and {image} stand for what differs
	For    Use
	Why    string
}

// String is how people write a call: "GET /info".
func (c Call) String() string { return c.Method + " " + c.Path }

// Calls are all of them.
var Calls = []Call{
	{"HEAD", "/_ping", Observe, "which version of the API the engine speaks"},
	{"GET", "/_ping", Observe, "the same, for engines that do not answer HEAD; whether the event stream is alive"},
	{"GET", "/version", Examine, "whether the engine is Podman"},
	{"GET", "/info", Observe, "which engine it is, and its clock"},
	{"GET", "/events", Observe, "what happens to containers, as it happens"},
	{"GET", "/containers/json", Observe, "finds containers by name, by label, and by network"},
	{"GET", "/containers/{id}/json", Observe, "state, limits, networks and pins of a container"},
	{"GET", "/containers/{id}/logs", Observe, "its last lines, as evidence"},
	{"GET", "/containers/{id}/stats", Observe, "memory and CPU, as evidence"},
	{"GET", "/containers/{id}/top", Observe, "its processes, as evidence"},
	{"GET", "/networks/{id}", Observe, "whether a network that the container left still exists"},
	{"GET", "/images/{image}/json", Observe, "whether the image that the container was created from still exists"},
	{"GET", "/volumes/{name}", Observe, "whether the volumes that a new container would use exist"},

	{"POST", "/containers/{id}/start", Repair, "start; the second half of kill_start, recreate and rollback"},
	{"POST", "/containers/{id}/restart", Repair, "restart"},
	{"POST", "/containers/{id}/unpause", Repair, "unpause"},
	{"POST", "/containers/{id}/kill", Repair, "kill_start"},
	{"POST", "/networks/{id}/connect", Repair, "connect"},

	{"POST", "/containers/{id}/update", Change, "raise_memory; limits of the faults memory and cpu"},
	{"POST", "/containers/{id}/stop", Change, "stops the container that recreate and rollback replace; the fault stop"},
	{"POST", "/containers/{id}/rename", Change, "keeps that container under another name"},
	{"POST", "/containers/create", Change, "recreate and rollback"},

	{"POST", "/networks/{id}/disconnect", Fault, "the fault disconnect; undo of connect"},
	{"POST", "/containers/{id}/pause", Fault, "the fault pause"},
	{"DELETE", "/containers/{id}", Fault, "the fault remove"},
}

// Find is the call that a request is, by its method and its path, with or without
// the API's version.
func Find(method, path string) (Call, bool) {
	for i, c := range Calls {
		if c.Method == method && patterns[i].MatchString(path) {
			return c, true
		}
	}
	return Call{}, false
}

// Methods are those of the calls, in the order of the list.
func Methods() []string {
	var all []string
	for _, c := range Calls {
		if !slices.Contains(all, c.Method) {
			all = append(all, c.Method)
		}
	}
	return all
}

// Pattern is one regular expression, in Go's syntax and without anchors, for the
// paths of a method: what wollomatic/socket-proxy takes.
func Pattern(method string) string {
	var paths []string
	for _, c := range Calls {
		if c.Method == method {
			paths = append(paths, expression(c.Path))
		}
	}
	return version + "(" + strings.Join(paths, "|") + ")"
}

// version is how a path begins.
const version = `(/v1\.[0-9]+)?`

// expression is a path as a regular expression. A name has no slash, so that no
// other call hides behind it; an image's may have some.
func expression(path string) string {
	return strings.NewReplacer("{id}", "[^/]+", "{name}", "[^/]+", "{image}", "[^?#]+").Replace(path)
}

var patterns = func() []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, c := range Calls {
		all = append(all, regexp.MustCompile("^"+version+expression(c.Path)+"$"))
	}
	return all
}()
