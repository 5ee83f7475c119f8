package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// pages are the page's own files, read once: they are part of the program.
type pages struct {
	files map[string]file // by path, such as js/app.js
}

type file struct {
	body []byte
	kind string // Content-Type
	etag string
}

// Types of files, whatever the machine's own table says.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8",
}

const index = "index.html"

// loadPages reads every file of static.
func loadPages(static fs.FS) (*pages, error) {
	p := &pages{files: map[string]file{}}
	err := fs.WalkDir(static, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(static, name)
		if err != nil {
			return err
		}
		kind, known := kinds[path.Ext(name)]
		if !known {
			kind = "application/octet-stream"
		}
		sum := sha256.Sum256(body)
		p.files[name] = file{body, kind, `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the page's files: %w", err)
	}
	if _, is := p.files[index]; !is {
		return nil, errors.New("the page's files have no " + index)
	}
	return p, nil
}

// serve answers with a file, or with the page itself where the address is one
// of its own.
func (p *pages) serve(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		notAllowed(w, req, http.MethodGet, http.MethodHead)
		return
	}
	name := strings.TrimPrefix(req.URL.Path, "/")
	if isPage(req.URL.EscapedPath()) {
		name = index
	}
	f, is := p.files[name]
	if !is {
		failf(w, http.StatusNotFound, "nothing is served at %s", short(req.URL.Path))
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("ETag", f.etag)
	w.Header().Set("Cache-Control", "no-cache") // revalidate each time whether it is still this
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(f.body))
}

// isPage says whether an escaped path is one of the page's own: the overview,
// the incidents, one of them, a service, the system.
func isPage(escaped string) bool {
	switch escaped {
	case "/", "/incidents", "/system":
		return true
	}
	for _, prefix := range []string{"/incidents/", "/services/"} {
		if rest, is := strings.CutPrefix(escaped, prefix); is && rest != "" && !strings.Contains(rest, "/") {
			return true
		}
	}
	return false
}
