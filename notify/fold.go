package notify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/state"
)

const (
	// incidentsKept bounds how many incidents are remembered.
	incidentsKept = 500
	// sentKept is how long it is remembered what was sent: as long as its topic
	// keeps a record.
	sentKept = 7 * 24 * time.Hour
	// horizon is how old news is at most that is sent at all; well below sentKept,
	// so that what was sent is never unknown.
	horizon = 3 * 24 * time.Hour
)

// Fold is what is known of the incidents of one host, and of what each receiver
// was sent. It has no clock and no I/O, and is not safe for concurrent use.
type Fold struct {
	host      string
	config    Config
	incidents *state.Incidents
	services  map[string]event.Service // of the host, by name
	order     map[string]*state.Order
	receivers map[string]*history // by name

	outages   []outage  // of parts, the newest last
	healthAt  time.Time // since when their health is known; zero: it is not
	forgotten int
}

// history is what one receiver got.
type history struct {
	began     time.Time // what was before is not sent; zero: not known yet
	news      map[string]sending
	incidents map[string]bool // that it has a message about
}

// sending is what became of one piece of news.
type sending struct {
	at      time.Time // the newest
	repeats int
	sent    bool // else it was dropped
}

// outage is a time in which a part was lost.
type outage struct {
	problem health.Problem
	until   time.Time // zero: it goes on
}

// NewFold is the fold of an empty log.
func NewFold(host string, config Config) *Fold {
	return &Fold{host: host, config: config, incidents: state.NewIncidents(), services: map[string]event.Service{},
		order: map[string]*state.Order{}, receivers: map[string]*history{}}
}

// ReadIncident takes a record of TopicIncidents.
func (f *Fold) ReadIncident(e event.Incident) {
	switch data := e.Data.(type) { // what is large is not needed
	case event.Evidence:
		e.Data = event.Evidence{}
	case event.Diagnosed:
		data.Legal, data.NotOffered, data.Reasoning, data.Prompt, data.Raw, data.Runbook, data.Model = nil, nil, "", "", "", nil, nil
		e.Data = data
	case event.ActionFinished:
		data.Output = ""
		e.Data = data
	case event.Reported:
		e.Data = event.Reported{}
	}
	f.incidents.Apply(e)
	if f.forgotten++; f.forgotten >= incidentsKept {
		f.forgotten = 0
		f.incidents.Forget(incidentsKept)
	}
}

// ReadService takes a record of TopicServices.
func (f *Fold) ReadService(s event.Service) {
	if s.Host != f.host {
		return
	}
	if f.order[s.Service] == nil {
		f.order[s.Service] = &state.Order{}
	}
	if f.order[s.Service].Next(s.Epoch, s.Revision) {
		s.Sources, s.Needs, s.Good, s.Update = nil, nil, nil, nil
		f.services[s.Service] = s
	}
}

// ReadNotification takes a record of TopicNotifications; the same twice is one.
func (f *Fold) ReadNotification(n event.Notification) {
	if n.Host != f.host {
		return
	}
	h := f.history(n.Receiver)
	if h.began.IsZero() || n.Time.Before(h.began) {
		h.began = n.Time
	}
	for _, id := range n.News {
		old := h.news[id]
		sent := n.Outcome == event.NotificationSent
		if n.Time.Before(old.at) {
			continue
		}
		h.news[id] = sending{at: n.Time, repeats: max(old.repeats, n.Repeat), sent: sent || old.sent}
		if incident, is := incidentOf(id); is && sent {
			h.incidents[incident] = true
		}
	}
}

// SetProblems takes the problems of the parts as they are now.
func (f *Fold) SetProblems(problems []health.Problem, now time.Time) {
	if f.healthAt.IsZero() {
		f.healthAt = now
	}
	for part := range partNames {
		i := slices.IndexFunc(problems, func(p health.Problem) bool { return p.Part == part })
		last := f.lastOutage(part)
		switch {
		case i >= 0 && (last == nil || !last.until.IsZero()):
			f.outages = append(f.outages, outage{problem: problems[i]})
		case i >= 0:
			since := last.problem.Since
			last.problem = problems[i]
			last.problem.Since = since
		case last != nil && last.until.IsZero():
			last.until = now
		}
	}
}

// lastOutage is the newest of a part, or nil.
func (f *Fold) lastOutage(part string) *outage {
	for i := len(f.outages) - 1; i >= 0; i-- {
		if f.outages[i].problem.Part == part {
			return &f.outages[i]
		}
	}
	return nil
}

// Tick forgets what is too old to matter.
func (f *Fold) Tick(now time.Time) {
	for _, h := range f.receivers {
		maps.DeleteFunc(h.news, func(id string, s sending) bool {
			old := now.Sub(s.at) > sentKept
			if incident, is := incidentOf(id); old && is {
				delete(h.incidents, incident)
			}
			return old
		})
	}
	f.outages = slices.DeleteFunc(f.outages, func(o outage) bool { return !o.until.IsZero() && now.Sub(o.until) > horizon })
}

func (f *Fold) history(receiver string) *history {
	h := f.receivers[receiver]
	if h == nil {
		h = &history{news: map[string]sending{}, incidents: map[string]bool{}}
		f.receivers[receiver] = h
	}
	return h
}

// incidentOf is the incident that a piece of news is of.
func incidentOf(id string) (string, bool) {
	rest, is := strings.CutPrefix(id, "incident/")
	if i := strings.LastIndex(rest, "/"); is && i > 0 {
		return rest[:i], true
	}
	return "", false
}

// dependents are the services that fail because of an incident's, in order.
func (f *Fold) dependents(root *state.Incident) []string {
	var all []string
	for _, in := range f.incidents.All() {
		if in.Host == f.host && in.RootIncident == root.ID && in.ID != root.ID && !slices.Contains(all, in.Service) {
			all = append(all, in.Service)
		}
	}
	slices.Sort(all)
	return all
}

func (f *Fold) silenced(name string, now time.Time) bool {
	s, known := f.services[name]
	return known && s.SilencedUntil != nil && now.Before(*s.SilencedUntil)
}

func (f *Fold) group(name string) string {
	if s, known := f.services[name]; known && s.Definition != nil {
		return s.Definition.Group
	}
	return ""
}
