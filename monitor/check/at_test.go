package check

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// TestAtAnotherAddress: that is dialled, and the request is the same.
func TestAtAnotherAddress(t *testing.T) {
	hosts := make(chan string, 8)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hosts <- r.Host
		if r.URL.Path == "/500" {
			w.WriteHeader(500)
		}
	})
	address := strings.TrimPrefix(server.URL, "http://")
	def := service.Default()
	def.Name, def.Timeout = "pay", time.Second
	for url, want := range map[string]event.Status{"http://pay.invalid:81/": event.Up, "http://pay.invalid:81/500": event.Down} {
		def.URL = url
		seen, err := At(t.Context(), def, Env{}, address)
		if err != nil || seen.Status != want {
			t.Errorf("%s at %s is %+v, %v; want %s", url, address, seen, err, want)
			continue
		}
		if host := <-hosts; host != "pay.invalid:81" {
			t.Errorf("%s: the server was asked for %s", url, host)
		}
	}
	def.Request.Redirects = true // over net/http's own transport
	def.URL = "http://pay.invalid:81/"
	if seen, err := At(t.Context(), def, Env{}, address); err != nil || seen.Status != event.Up {
		t.Errorf("with redirects: %+v, %v", seen, err)
	}
	for _, url := range []string{"disk:///", "icmp://pay.invalid", "push://pay", ""} {
		def.URL = url
		if _, err := At(t.Context(), def, Env{}, address); !errors.Is(err, ErrNotAt) {
			t.Errorf("%q: %v", url, err)
		}
	}
}
