package rights

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"logstream/internal/docs"
)

func TestFind(t *testing.T) {
	for request, want := range map[string]string{
		"HEAD /_ping":                                  "HEAD /_ping",
		"GET /v1.41/info":                              "GET /info",
		"GET /v1.51/containers/json":                   "GET /containers/json",
		"GET /containers/web/json":                     "GET /containers/{id}/json",
		"POST /v1.41/containers/c0ffee/start":          "POST /containers/{id}/start",
		"GET /v1.41/images/reg:5000/a/b@sha256:1/json": "GET /images/{image}/json",
		"DELETE /v1.41/containers/web":                 "DELETE /containers/{id}",
		"POST /v1.41/containers/create":                "POST /containers/create",

		"POST /v1.41/containers/web/exec":       "",
		"POST /v1.41/exec/1/start":              "",
		"POST /v1.41/containers/web/start/more": "",
		"POST /v1.41/containers/a/b/start":      "",
		"POST /v1.41/containers/prune":          "",
		"PUT /v1.41/containers/web/archive":     "",
		"GET /v1.41/containers/web/archive":     "",
		"GET /v1.41/containers/web/attach/ws":   "",
		"DELETE /v1.41/volumes/data":            "",
		"DELETE /v1.41/images/web":              "",
		"POST /v1.41/images/create":             "",
		"POST /v1.41/build":                     "",
		"GET /v1.41/secrets":                    "",
		"POST /v1.41/info":                      "",
		"GET /v2/info":                          "",
		"GET /info/../containers/web/archive":   "",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got, is := Find(method, path); is != (want != "") || is && got.String() != want {
			t.Errorf("%s is %q, want %q", request, got, want)
		}
		pattern := regexp.MustCompile("^" + Pattern(method) + "$")
		if slices.Contains(Methods(), method) && pattern.MatchString(path) != (want != "") {
			t.Errorf("%s: the pattern %s disagrees", request, pattern)
		}
	}
}

func TestEachCallIsThereOnceAndSaysWhy(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Calls {
		if seen[c.String()] || c.Why == "" || c.For == "" || !strings.HasPrefix(c.Path, "/") {
			t.Errorf("%+v", c)
		}
		seen[c.String()] = true
	}
}

// TestComposeHasTheseRights holds the proxy of docker-compose.yml to the list.
func TestComposeHasTheseRights(t *testing.T) {
	content, err := os.ReadFile("../../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^ +- '-allow([A-Z]+)=(.*)'$`).FindAllStringSubmatch(string(content), -1) {
		given[found[1]] = found[2]
	}
	for _, method := range Methods() {
		if given[method] != Pattern(method) {
			t.Errorf("docker-compose.yml allows of %s\n  %s\nwant\n  - '-allow%s=%s'", method, given[method], method, Pattern(method))
		}
		delete(given, method)
	}
	if len(given) > 0 {
		t.Errorf("docker-compose.yml allows also %v", given)
	}
}

const documentHead = `# Calls of the Docker API

Made of ` + "`internal/docker/rights`" + ` by its test; do not edit it. These are all the calls that LogStream makes. The end-to-end tests run behind a proxy with exactly these, and fail on another; ` + "`logstream doctor`" + ` tries them; the profile ` + "`proxy`" + ` of [docker-compose.yml](../docker-compose.yml) runs LogStream behind [wollomatic/socket-proxy](https://github.com/wollomatic/socket-proxy), which lets these through and has the socket instead of LogStream:

` + "```console" + `
$ export COMPOSE_PROFILES=proxy DOCKER_GID="$(stat -c %g /var/run/docker.sock)"
$ docker compose up -d --wait
` + "```" + `

That proxy has one pattern per method, so that ` + "`POST /containers/{id}/start`" + ` can be allowed without ` + "`POST /containers/{id}/exec`" + `; a proxy that allows sections of the API, such as tecnativa/docker-socket-proxy, allows both or none. It does not read bodies: **a program that may create a container may create a privileged one, and is root on the host.** If no repair should change a container, leave the calls of the kind *change* out of the file; if no faults are injected, also those of *fault*. What remains can start, unpause, kill and restart any container, connect it to any network, and read what the calls with ` + "`GET`" + ` return, such as logs and environment; ` + "`logstream doctor`" + ` then warns of the repairs that cannot run.

| call | kind | for |
|---|---|---|
`

// TestDocument: docs/docker.md has each call as the list has it.
func TestDocument(t *testing.T) {
	var out strings.Builder
	out.WriteString(documentHead)
	for _, c := range Calls {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", c, c.For, c.Why)
	}
	docs.Check(t, "docker.md", out.String())
}
