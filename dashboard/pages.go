package dashboard

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pages are the page's own files, read once: they are part of the program.
//
// Each is at two addresses: its own, such as /js/app.js, which a browser asks
// about each time, and one with the version of all files before it, such as
// /_/0123456789ab/js/app.js, which it keeps for good: another content is another
// address. index.html names its scripts, styles and fonts by those, and what these
// import is relative to them, so no file has to be built.
type pages struct {
	files   map[string]*file // by path, such as js/app.js
	version string           // by the content of all files but index.html
}

type file struct {
	body []byte
	kind string // Content-Type
	etag string

	zip    sync.Once // compressed once: when the actor starts, or when it is first wanted
	zipped []byte    // nil: not worth it
}

const (
	versioned  = "_/" // before a version and a path
	immutable  = "public, max-age=31536000, immutable"
	revalidate = "no-cache" // the browser asks each time whether its copy is still current
)

// compressible are the types of files that are worth compressing: fonts and pictures are
// compressed already.
var compressible = regexp.MustCompile(`^(text/|application/(json|manifest)|image/svg)`)

// withVersion are the addresses in index.html that get a version. Icons and the manifest
// are named in other files too, so they keep theirs.
var withVersion = regexp.MustCompile(`(href|src)="/([^"]+\.(?:js|css|woff2))"`)

// Types of files, whatever the machine's own table says.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8",
}

const index = "index.html"

// loadPages reads every file of static. Their addresses in index.html are put
// below base, and the page's code reads base in it: a <base> element would need
// a weaker content policy.
func loadPages(static fs.FS, base string) (*pages, error) {
	p := &pages{files: map[string]*file{}}
	contents := sha256.New()
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
		p.files[name] = newFile(body, kind)
		if name != index {
			fmt.Fprintf(contents, "%s %s\n", name, p.files[name].etag)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the page's files: %w", err)
	}
	main, is := p.files[index]
	if !is {
		return nil, errors.New("the page's files have no " + index)
	}
	p.version = hex.EncodeToString(contents.Sum(nil)[:6])
	body := withVersion.ReplaceAllString(string(main.body), `$1="/`+versioned+p.version+`/$2"`)
	if base != "" {
		body = strings.NewReplacer(`href="/`, `href="`+base+`/`, `src="/`, `src="`+base+`/`, `<html `, `<html data-base="`+base+`" `).Replace(body)
	}
	p.files[index] = newFile([]byte(body), main.kind)
	return p, nil
}

func newFile(body []byte, kind string) *file {
	sum := sha256.Sum256(body)
	return &file{body: body, kind: kind, etag: hex.EncodeToString(sum[:12])}
}

// compressed is the file in gzip; nil where that saves nothing.
func (f *file) compressed() []byte {
	if !compressible.MatchString(f.kind) {
		return nil
	}
	f.zip.Do(func() {
		var to bytes.Buffer
		w, _ := gzip.NewWriterLevel(&to, gzip.BestCompression) // the level is one
		_, _ = w.Write(f.body)                                 // to memory
		_ = w.Close()
		if to.Len() < len(f.body)*9/10 {
			f.zipped = to.Bytes()
		}
	})
	return f.zipped
}

// serve answers with a file, or with the page itself where the address is one
// of its own.
func (p *pages) serve(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		notAllowed(w, req, http.MethodGet, http.MethodHead)
		return
	}
	name, cache := p.find(req.URL.Path)
	if isPage(req.URL.EscapedPath()) {
		name = index
	}
	f, is := p.files[name]
	if !is {
		failf(w, http.StatusNotFound, "nothing is served at %s", short(req.URL.Path))
		return
	}
	f.serve(w, req, cache)
}

// find is the file that a path names, and how long a browser keeps it. A page that
// was opened before an update asks for the version from before, which is there no more:
// with code of two versions it would do what neither of them says. It loads itself again.
func (p *pages) find(address string) (name, cache string) {
	name = strings.TrimPrefix(address, "/")
	rest, is := strings.CutPrefix(name, versioned)
	version, rest, more := strings.Cut(rest, "/")
	switch {
	case !is || !more || rest == index:
		return name, revalidate
	case version == p.version:
		return rest, immutable
	}
	return "", revalidate
}

// compress compresses every file that is worth it, so that no visitor waits for that.
func (p *pages) compress(ctx context.Context) error {
	for _, f := range p.files {
		if ctx.Err() != nil {
			return nil
		}
		f.compressed()
	}
	return nil
}

func (f *file) serve(w http.ResponseWriter, req *http.Request, cache string) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", cache)
	body, etag := f.body, f.etag
	if compressible.MatchString(f.kind) {
		h.Set("Vary", "Accept-Encoding")
		if zipped := f.compressed(); zipped != nil && takesGzip(req.Header.Get("Accept-Encoding")) {
			body, etag = zipped, etag+"-gzip"
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(body)))
			req.Header.Del("Range") // a part of a compressed file is of no use
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip says whether an Accept-Encoding allows gzip.
func takesGzip(accept string) bool {
	for _, one := range strings.Split(accept, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if name = strings.ToLower(strings.TrimSpace(name)); name == "gzip" || name == "*" {
			return !zeroWeight.MatchString(weight)
		}
	}
	return false
}

var zeroWeight = regexp.MustCompile(`^\s*[qQ]\s*=\s*0(\.0*)?\s*$`)

// isPage says whether an escaped path is one of the page's own: the overview,
// the incidents, one of them, what waits for a person, a service, the form for
// another one, the system.
func isPage(escaped string) bool {
	switch escaped {
	case "/", "/incidents", "/approvals", "/add", "/system":
		return true
	}
	for _, prefix := range []string{"/incidents/", "/services/"} {
		if rest, is := strings.CutPrefix(escaped, prefix); is && rest != "" && !strings.Contains(rest, "/") {
			return true
		}
	}
	return false
}
