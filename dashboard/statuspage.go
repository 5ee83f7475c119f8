package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"logstream/dashboard/access"
	"logstream/dashboard/public"
	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/text"
)

const (
	statusFor  = time.Second // one status page serves all who ask within it
	statusDays = 30
	maxTitle   = 100 // bytes
)

// StatusPage is what anybody may see without a token.
type StatusPage struct {
	Enabled bool     `yaml:"enabled"`
	Groups  []string `yaml:"groups"` // their services are shown, in this order
	Title   string   `yaml:"title"`
	Badges  bool     `yaml:"badges"` // of these groups, too
}

func (p StatusPage) problems() []service.Problem {
	var all []service.Problem
	if p.Enabled && len(p.Groups) == 0 {
		all = append(all, service.Problem{Key: "status_page.groups", Value: "[]", Message: "is empty, so the status page would show nothing: name the groups of services that everyone may see"})
	}
	for i, group := range p.Groups {
		if strings.TrimSpace(group) == "" {
			all = append(all, service.Problem{Key: fmt.Sprintf("status_page.groups[%d]", i), Value: group, Message: "is empty: name a group of services"})
		}
	}
	if len(p.Title) > maxTitle || p.Title != text.Line(p.Title) {
		all = append(all, service.Problem{Key: "status_page.title", Value: p.Title, Message: fmt.Sprintf("must be one line of at most %d bytes", maxTitle)})
	}
	return all
}

// shows says whether anybody may see the services of that group.
func (p StatusPage) shows(group string) bool { return p.Enabled && slices.Contains(p.Groups, group) }

// published are the calls that the configuration may open to anybody.
func (r *run) published() map[string]methods {
	anyone := func(answer http.HandlerFunc) methods {
		return methods{http.MethodGet: {access.Anyone, r.limited(answer)}}
	}
	badge := func(answer http.HandlerFunc) methods {
		known := read(r.limited(answer))
		if p := r.deps.Config.StatusPage; !p.Enabled || !p.Badges {
			return known
		}
		// A token that is sent must be right: else badges would say, without the bound
		// on wrong ones, which are.
		viewer := r.authorized(known.need, answer)
		return anyone(func(w http.ResponseWriter, req *http.Request) {
			if !access.SendsToken(req) {
				answer(w, req)
				return
			}
			viewer(w, req)
		})
	}
	return map[string]methods{
		"/badge/{name}":            badge(r.getBadge),
		"/badge/{name}/uptime.svg": badge(r.getUptimeBadge),
		"/status":                  anyone(r.getStatus),
		"/status.json":             anyone(r.getStatusJSON),
	}
}

// limited bounds how often what is public may be asked for.
func (r *run) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if !r.limits.public.Allow() {
			tooManyRequests.fail(w)
			return
		}
		next(w, req)
	}
}

// statusNow is the newest status page, made once for all who ask at the same time.
type statusNow struct {
	mu         sync.Mutex
	until      time.Time
	html, json []byte
}

// now gives the page and its JSON.
func (s *statusNow) now(ctx context.Context, r *run) (html, json []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := now(); at.After(s.until) {
		var made public.Status
		if err := r.inLoop(ctx, func(l *loop) { made = l.status(r.deps.Config.StatusPage, at) }); err != nil {
			return nil, nil, err
		}
		s.html, s.json, s.until = made.Page(), made.JSON(), at.Add(statusFor)
	}
	return s.html, s.json, nil
}

// status is what the chosen groups show.
func (l *loop) status(p StatusPage, at time.Time) public.Status {
	s := public.Status{Title: p.Title, Time: at, Groups: []public.Group{}, Incidents: []public.Incident{}}
	if s.Title == "" {
		s.Title = "Status"
	}
	services := l.fleet.Services(at)
	slices.SortStableFunc(services, func(a, b view.Service) int { return placeOf(a) - placeOf(b) })
	group := map[view.Key]bool{}
	for _, name := range p.Groups {
		g := public.Group{Name: name, Services: []public.Service{}}
		for _, v := range services {
			if !v.Managed || v.Group != name {
				continue
			}
			key := view.Key{Host: v.Host, Name: v.Name}
			group[key] = true
			g.Services = append(g.Services, public.Service{Name: v.Name, Status: v.Status, Since: v.Since, Days: l.fleet.Days(key, statusDays, at),
				Uptime: public.Uptime{Day: v.Uptime.Day, Week: v.Uptime.Week, Month: v.Uptime.Month}})
		}
		s.Groups = append(s.Groups, g)
	}
	for _, in := range l.fleet.Recent(at) {
		if in.Service == event.ReservedService || !group[view.Key{Host: in.Host, Name: in.Service}] {
			continue
		}
		if shown, is := public.Published(in, at); is {
			s.Incidents = append(s.Incidents, shown)
		}
	}
	s.Decide()
	return s
}

// placeOf orders services as the configuration does, those of other hosts last.
func placeOf(v view.Service) int {
	if v.Order == 0 {
		return 1 << 30
	}
	return v.Order
}

func (r *run) getStatus(w http.ResponseWriter, req *http.Request) {
	r.answerStatus(w, req, "text/html; charset=utf-8", func(html, _ []byte) []byte { return html })
}

func (r *run) getStatusJSON(w http.ResponseWriter, req *http.Request) {
	r.answerStatus(w, req, "application/json; charset=utf-8", func(_, json []byte) []byte { return json })
}

func (r *run) answerStatus(w http.ResponseWriter, req *http.Request, kind string, which func(html, json []byte) []byte) {
	if !r.deps.Config.StatusPage.Enabled {
		fail(w, http.StatusNotFound, "the status page is off: set dashboard.status_page.enabled in config.yaml to publish it")
		return
	}
	html, json, err := r.status.now(req.Context(), r)
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", public.StatusPolicy)
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "public, max-age=10")
	_, _ = w.Write(which(html, json)) // a client that disconnected needs no answer
}
