package dashboard

import (
	"net/http"
	"testing"
	"testing/fstest"
)

func TestPages(t *testing.T) {
	s := serve(t, func(d *Deps) {
		d.Static = fstest.MapFS{
			"index.html": {Data: []byte("the page")}, "js/app.js": {Data: []byte("code")},
			"font.woff2": {Data: []byte("font")}, "odd.bin": {Data: []byte("bytes")},
		}
	})
	tests := []struct{ path, kind, body string }{
		{"/", "text/html; charset=utf-8", "the page"},
		{"/index.html", "text/html; charset=utf-8", "the page"},
		{"/incidents", "text/html; charset=utf-8", "the page"},
		{"/incidents/abc", "text/html; charset=utf-8", "the page"},
		{"/services/a%2Fb", "text/html; charset=utf-8", "the page"},
		{"/system", "text/html; charset=utf-8", "the page"},
		{"/js/app.js", "text/javascript; charset=utf-8", "code"},
		{"/font.woff2", "font/woff2", "font"},
		{"/odd.bin", "application/octet-stream", "bytes"},
	}
	for _, tt := range tests {
		resp, body := s.do("GET", tt.path, "", nil)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != tt.kind || string(body) != tt.body || resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("GET %s: %d %v %q", tt.path, resp.StatusCode, resp.Header, body)
			continue
		}
		etag := resp.Header.Get("ETag")
		if got := s.status("GET", tt.path, "", func(r *http.Request) { r.Header.Set("If-None-Match", etag) }); got != http.StatusNotModified {
			t.Errorf("GET %s again: %d", tt.path, got)
		}
	}
	for _, path := range []string{"/incidents/", "/incidents/a/b", "/services/", "/nothing", "/js", "/../go.mod", "/%2e%2e/go.mod", "/js/%2e%2e/index.html%00"} {
		if got := s.status("GET", path, "", nil); got == http.StatusOK {
			t.Errorf("GET %s: %d", path, got)
		}
	}
	if got := s.status("POST", "/", "{}", nil); got != http.StatusMethodNotAllowed {
		t.Errorf("POST / = %d", got)
	}
	if _, err := loadPages(fstest.MapFS{"other.html": {}}); err == nil {
		t.Error("files without an index.html were taken")
	}
}
