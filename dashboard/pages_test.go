package dashboard

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
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
		{"/approvals", "text/html; charset=utf-8", "the page"},
		{"/add", "text/html; charset=utf-8", "the page"},
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
	if _, err := loadPages(fstest.MapFS{"other.html": {}}, ""); err == nil {
		t.Error("files without an index.html were taken")
	}
}

func TestPageFilesAreCompressedAndKept(t *testing.T) {
	code := strings.Repeat("export const answer = 42; // and so on\n", 100)
	static := fstest.MapFS{
		"index.html": {Data: []byte(`<html lang="en"><script src="/js/app.js"></script><link href="/style.css"><link href="/icons/up.svg"><link href="/f.woff2"><a href="/">` + strings.Repeat("x", 999))},
		"js/app.js":  {Data: []byte(code)}, "style.css": {Data: []byte("a{}")}, "f.woff2": {Data: []byte(code)}, "icons/up.svg": {Data: []byte("<svg/>")},
	}
	before, err := loadPages(static, "")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(d *Deps) { d.Static = static })
	under := "/_/" + before.version
	get := func(path, accept, etag string) (*http.Response, string) {
		resp, body := s.do("GET", path, "", func(r *http.Request) {
			r.Header.Set("Accept-Encoding", accept)
			r.Header.Set("Range", "bytes=0-1")
			if etag != "" {
				r.Header.Set("If-None-Match", etag)
			} else if accept == "" {
				r.Header.Del("Range")
			}
		})
		return resp, string(body)
	}
	_, page := get("/", "", "")
	for _, want := range []string{`src="` + under + `/js/app.js"`, `href="` + under + `/style.css"`, `href="` + under + `/f.woff2"`, `href="/icons/up.svg"`, `<a href="/">`} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in %.400s", want, page)
		}
	}
	tests := []struct {
		path, accept, cache string
		zipped              bool
	}{
		{"/js/app.js", "gzip, br", revalidate, true},
		{"/js/app.js", "br;q=1.0, GZIP;q=0.5", revalidate, true},
		{"/js/app.js", "gzip;q=0, br", revalidate, false},
		{"/js/app.js", "br", revalidate, false},
		{under + "/js/app.js", "*", immutable, true},
		{under + "/style.css", "gzip", immutable, false}, // too small
		{under + "/f.woff2", "gzip", immutable, false},   // a font is compressed already
		{"/", "gzip", revalidate, true},
	}
	for _, tt := range tests {
		resp, body := get(tt.path, tt.accept, "")
		h := resp.Header
		if (h.Get("Content-Encoding") == "gzip") != tt.zipped || h.Get("Cache-Control") != tt.cache || (h.Get("Vary") != "") == (tt.path == under+"/f.woff2") {
			t.Errorf("GET %s (%s): %d %v", tt.path, tt.accept, resp.StatusCode, h)
			continue
		}
		if tt.zipped {
			r, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatalf("GET %s: %v", tt.path, err)
			}
			if plain, err := io.ReadAll(r); err != nil || h.Get("Content-Length") != strconv.Itoa(len(body)) || len(plain) <= len(body) {
				t.Errorf("GET %s: %d bytes of %d, %v, %v", tt.path, len(body), len(plain), err, h)
			}
		}
		if resp, body := get(tt.path, tt.accept, h.Get("ETag")); resp.StatusCode != http.StatusNotModified || body != "" || resp.Header.Get("Cache-Control") != tt.cache {
			t.Errorf("GET %s again: %d %v", tt.path, resp.StatusCode, resp.Header)
		}
	}
	zipped, _ := get("/js/app.js", "gzip", "")
	plain, _ := get("/js/app.js", "", "")
	if zipped.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("both forms of a file have one ETag")
	}
	for _, path := range []string{"/_/", under, under + "/", under + "/none.js", "/_/" + before.version[1:], under + "/index.html", under + "/../go.mod"} {
		if resp, _ := get(path, "", ""); resp.StatusCode == http.StatusOK && resp.Header.Get("Cache-Control") == immutable {
			t.Errorf("GET %s is kept", path)
		}
	}
	if got := s.status("GET", "/_/0123456789ab/js/app.js", "", nil); got != http.StatusNotFound {
		t.Errorf("a file of another version: %d; with code of two versions a page does what neither says", got)
	}
	static["js/app.js"] = &fstest.MapFile{Data: []byte(code + "!")}
	after, err := loadPages(static, "/base")
	if err != nil {
		t.Fatal(err)
	}
	if err := after.compress(t.Context()); err != nil || after.files["js/app.js"].zipped == nil {
		t.Errorf("the files are not compressed ahead: %v", err)
	}
	if after.version == before.version {
		t.Errorf("another content has the version %s, as before", after.version)
	}
	if body := string(after.files[index].body); !strings.Contains(body, `src="/base/_/`+after.version+`/js/app.js"`) {
		t.Errorf("below a base path the page is %.300s", body)
	}
}
