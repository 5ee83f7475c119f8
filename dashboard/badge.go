package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"logstream/dashboard/access"
	"logstream/dashboard/public"
	"logstream/dashboard/view"
)

// badgePolicy is for an SVG that is opened by itself: it does nothing.
const badgePolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"

// shownAs is the service of that name, where the caller may see it: with the
// token, or because its group is published. What is not shown looks the same,
// whether it exists or not.
func (r *run) shownAs(w http.ResponseWriter, req *http.Request, name string) (v view.Service, shown, answered bool) {
	var is bool
	if !r.fetch(w, req, func(l *loop) { v, is = l.fleet.Service(name, now()) }) {
		return v, false, true
	}
	page := r.deps.Config.StatusPage
	return v, is && v.Managed && (page.Badges && page.shows(v.Group) || r.mayRead(req)), false
}

// mayRead says whether a request to a published address could read the API, too.
func (r *run) mayRead(req *http.Request) bool { return person(req).Role.May(access.Viewer) }

func (r *run) getBadge(w http.ResponseWriter, req *http.Request) {
	name, is := strings.CutSuffix(req.PathValue("name"), ".svg")
	if !is || name == "" {
		failf(w, http.StatusNotFound, "nothing is served at %s; a badge is /badge/<service>.svg", short(req.URL.Path))
		return
	}
	v, shown, answered := r.shownAs(w, req, name)
	switch {
	case answered:
	case shown:
		r.answerBadge(w, req, public.StatusBadge(name, v.Status))
	default:
		r.answerBadge(w, req, public.UnknownBadge(name))
	}
}

// badgeWindows are those of an uptime badge.
var badgeWindows = []string{"1h", "24h", "7d", "30d"}

func (r *run) getUptimeBadge(w http.ResponseWriter, req *http.Request) {
	name, window := req.PathValue("name"), req.URL.Query().Get("window")
	if window == "" {
		window = "7d"
	}
	v, shown, answered := r.shownAs(w, req, name)
	share, is := map[string]*float64{"1h": v.Uptime.Hour, "24h": v.Uptime.Day, "7d": v.Uptime.Week, "30d": v.Uptime.Month}[window]
	switch {
	case answered:
	case !is:
		failf(w, http.StatusBadRequest, `"window" must be %s`, strings.Join(badgeWindows[:3], ", ")+" or "+badgeWindows[3])
	case shown:
		r.answerBadge(w, req, public.UptimeBadge(name, window, share))
	default:
		r.answerBadge(w, req, public.UnknownBadge(name))
	}
}

// answerBadge serves an SVG. Where badges are published other sites may embed it.
func (r *run) answerBadge(w http.ResponseWriter, req *http.Request, svg []byte) {
	h, sum := w.Header(), sha256.Sum256(svg)
	h.Set("Content-Type", "image/svg+xml; charset=utf-8")
	h.Set("Content-Security-Policy", badgePolicy)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	if page := r.deps.Config.StatusPage; page.Enabled && page.Badges {
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	h.Set("Vary", "Authorization, Cookie") // what one caller may see another may not
	h.Set("Cache-Control", "private, max-age=30")
	if !r.mayRead(req) {
		h.Set("Cache-Control", "public, max-age=30")
	}
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(svg))
}
