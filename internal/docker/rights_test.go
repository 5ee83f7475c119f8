package docker

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"logstream/internal/container"
	list "logstream/internal/docker/rights"
)

// TestRightsNameTheCallsThatAProxyRefuses has a proxy that answers as HAProxy
// and as nginx do.
func TestRightsNameTheCallsThatAProxyRefuses(t *testing.T) {
	r := newReplay(t)
	refuse := map[string]int{"/start": http.StatusForbidden, "/rename": http.StatusMethodNotAllowed, "/containers/create": http.StatusUnauthorized}
	r.otherwise = func(w http.ResponseWriter, request *http.Request) {
		for end, status := range refuse {
			if strings.HasSuffix(request.URL.Path, end) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "<html><body><h1>"+http.StatusText(status)+"</h1></body></html>")
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"No such container: x"}`)
	}
	rights, err := r.runtime(t).Rights(t.Context())
	if err != nil || len(rights) != len(tries) {
		t.Fatalf("%d rights, %v", len(rights), err)
	}
	var refused []string
	for _, right := range rights {
		if !right.Allowed {
			refused = append(refused, right.Call)
		}
	}
	if want := []string{"POST /containers/{id}/start", "POST /containers/{id}/rename", "POST /containers/create"}; !slices.Equal(refused, want) {
		t.Errorf("refused are %q, want %q", refused, want)
	}
	for _, call := range r.calls("") {
		if strings.HasPrefix(call, "POST") && !strings.Contains(call, "logstream-none-") {
			t.Errorf("%s names something that may exist", call)
		}
	}
}

// TestEachCallOfTheListIsTried but those that come first, or that are of no use
// beside the examination.
func TestEachCallOfTheListIsTried(t *testing.T) {
	untried := []string{"HEAD /_ping", "GET /_ping", "GET /version"}
	for _, c := range list.Calls {
		if _, is := tries[c.String()]; is == slices.Contains(untried, c.String()) {
			t.Errorf("%s: tried is %v", c, is)
		}
	}
	if len(tries)+len(untried) != len(list.Calls) {
		t.Errorf("%d are tried, and the list has %d", len(tries), len(list.Calls))
	}
}

func TestRightsWithoutAnEngine(t *testing.T) {
	if _, err := runtimeAt(t, "unix://"+listen(t, nil)).Rights(t.Context()); !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("no engine gives %v", err)
	}
}

func TestAboutKnowsPodman(t *testing.T) {
	for body, podman := range map[string]bool{
		`{"Version":"5.4.0","ApiVersion":"1.41","Components":[{"Name":"Podman Engine","Version":"5.4.0"}]}`: true,
		`{"Version":"29.0.0","ApiVersion":"1.52","Components":[{"Name":"Engine"},{"Name":"containerd"}]}`:   false,
		`{"Version":"29.0.0","ApiVersion":"1.52","Platform":{"Name":"Docker Engine - Community"}}`:          false,
	} {
		r := newReplay(t)
		r.file(t, "GET", "/info", "info")
		r.on("GET", "/version", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		})
		a, err := r.runtime(t).About(t.Context())
		if err != nil || a.Podman != podman || a.Version != "20.10.24+dfsg1" || a.API != "1.41" {
			t.Errorf("%s gives %+v, %v", body, a, err)
		}
	}
}

func TestStoppedByABackup(t *testing.T) {
	for label, want := range map[string]string{
		"docker-volume-backup.stop-during-backup=true":         "docker-volume-backup",
		"docker-volume-backup.stop-during-backup=service1":     "docker-volume-backup",
		"docker-volume-backup.stop-during-backup=false":        "",
		"docker-volume-backup.archive-pre=/bin/sh -c true":     "",
		"docker-volume-backup.stop-during-backup-no-restart=1": "docker-volume-backup",
		"sablier.enable=true":                                  "sablier",
		"com.example=true":                                     "",
	} {
		name, value, _ := strings.Cut(label, "=")
		if got := stoppedBy(map[string]string{name: value}); got != want {
			t.Errorf("%s: stopped by %q, want %q", label, got, want)
		}
	}
}
