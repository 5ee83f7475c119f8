package healer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"logstream/healer/budget"
	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/healer/update"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/state"
)

// Updates: a user or tool changed a service's image, and for a while the service is
// compared with how it was before. What is known of one is published with the
// service, and taken from there in the next life.

const replacedWithin = time.Minute // a container that ended longer ago than this was not ended by its update

// noteUpdate begins a watch where the service's container is made of another
// image than when it was last seen. What we replaced ourselves is no update.
func noteUpdate(c *Controller, s *serviceState, seen container.State, now time.Time) {
	before := event.ServiceContainer{}
	if s.container != nil {
		before = *s.container
	}
	if good := s.memory.good; before.ImageID == "" && good != nil {
		before = event.ServiceContainer{ID: good.ContainerID, Image: good.Image, ImageID: good.ImageID}
	}
	if !differ(before.ImageID, seen.ImageID) || before.ID == seen.ID || isOwnContainer(c, s, seen.ID) {
		return
	}
	h := c.engine.Of(seen.Name)
	s.logs = logComparison{}
	if !s.learned.IsZero() {
		s.logs.learned = s.learned.Add(-learnLag)
	}
	since, failing := replaced(s, h, before.ID, now)
	s.update.Begin(update.Change{Image: seen.Image, ImageID: seen.ImageID, PreviousImage: before.Image, PreviousImageID: before.ImageID,
		Failing: failing, Exits: exits(h, before.ID, stopOf(seen), time.Time{}, now), Replaced: since}, c.config.Update.Watch, now)
}

// isOwnContainer says whether an action of ours put a container in the place of
// another, or may be about to.
func isOwnContainer(c *Controller, s *serviceState, id string) bool {
	for _, in := range slices.Backward(c.incidents.Of(s.def.Name, c.host)) {
		for _, a := range budget.Attempts(in.Events) {
			unfinished := a.AnsweredAt.IsZero() && (a.Intent.Action == service.ActionRollback || a.Intent.Action == service.ActionRecreate)
			if a.Left == id || a.Kept == id || unfinished {
				return true
			}
		}
	}
	return false
}

// isOwnRollback says whether a rollback of ours, since then, made the container that
// the service has now.
func isOwnRollback(c *Controller, s *serviceState, since time.Time) bool {
	for _, in := range slices.Backward(c.incidents.Of(s.def.Name, c.host)) {
		if slices.ContainsFunc(budget.Attempts(in.Events), func(a budget.Attempt) bool {
			return a.Action == service.ActionRollback && a.Left == s.container.ID && a.Began.After(since)
		}) {
			return true
		}
		if in.Opened.Before(since) {
			break
		}
	}
	return false
}

// replaced is from when on checks say nothing of the container before, because it was
// being removed, and whether the service failed until then: what fails meanwhile
// is caused by the replacement.
func replaced(s *serviceState, h history.History, previous string, now time.Time) (since time.Time, failing bool) {
	first := s.status.FirstBad
	lives := history.Lives(h, previous, stopOf(s.inspection.state), now)
	if len(lives) == 0 {
		return now, !first.IsZero() && now.Sub(first) > replacedWithin
	}
	last := lives[len(lives)-1]
	if last.End != history.EndStopped && last.End != history.EndKilled {
		return now, !first.IsZero()
	}
	since = last.Began.Add(-s.def.Timeout) // a check that was under way fails as well
	return since, !first.IsZero() && (first.Before(since) || now.Sub(last.At) > replacedWithin)
}

// exits counts the ends by itself of a container after a time.
func exits(h history.History, id string, stop history.Stop, after, now time.Time) int {
	n := 0
	for _, life := range history.Lives(h, id, stop, now) {
		if (life.End == history.EndByItself || life.End == history.EndOOM) && life.At.After(after) {
			n++
		}
	}
	return n
}

// countUpdate takes in a check of our own for the comparison. One that failed
// says nothing of an image where the container does not run, Docker or most
// services are out of reach, the service may be starting, or something that it
// needs is DOWN.
func countUpdate(c *Controller, s *serviceState, h event.HealthLog) {
	bad := h.Status == event.Down
	if h.Extra || s.def.Container == "" {
		return
	}
	if bad && excuses(c, s, h) {
		s.logs.excused = h.Time()
		return
	}
	s.update.Count(update.Sample{At: h.Time(), MS: h.LatencyMS, Bad: bad}, c.config.Update.Watch)
}

func excuses(c *Controller, s *serviceState, h event.HealthLog) bool {
	blind := c.fleet.self.incident != nil && c.fleet.self.incident.State != state.Resolved
	starting := !h.Time().After(s.status.CountsAfter(s.inspection.state.StartedAt))
	return s.status.Level() == event.Down || c.engine.Lost() || starting || blind || slices.ContainsFunc(needsOf(c, s.def.Name), func(n event.Need) bool {
		on := c.services[n.Service]
		return on != nil && on.status.Value == event.Down
	})
}

// judgeUpdate judges the update by what was counted so far.
func judgeUpdate(c *Controller, s *serviceState, now time.Time) {
	u := s.update.Update
	if u == nil || s.container == nil || u.Verdict == event.UpdateGood && s.container.ImageID == u.ImageID {
		return
	}
	seen := update.Seen{ImageID: s.container.ImageID, Down: s.status.Value == event.Down, Latency: s.def.Expect.Latency, Logs: s.logs.shown(s.container.ID)}
	seen.RolledBack = seen.ImageID != u.ImageID && isOwnRollback(c, s, u.Since)
	seen.Exits = exits(c.engine.Of(s.containerName()), s.container.ID, stopOf(s.inspection.state), u.Since, now)
	s.update.Judge(seen, c.config.Update.Watch, now)
}

// accused says whether the image that the service runs is held to be bad.
func accused(s *serviceState) bool {
	return s.container != nil && update.Accused(s.update.Update, s.container.ImageID)
}

// updateSeen says whether an incident about the update was opened already, or an open one
// turned out to be about it: there is one at most, however a person answered it.
func updateSeen(c *Controller, s *serviceState) bool {
	if !accused(s) {
		return false
	}
	for _, in := range slices.Backward(c.incidents.Of(s.def.Name, c.host)) {
		if slices.ContainsFunc(in.Events, func(e event.Incident) bool { return accusesImage(e, s.update.Update.Since) }) {
			return true
		}
		if in.Opened.Before(s.update.Update.Since) {
			break
		}
		if opened, known := in.Last(event.TypeOpened); known && opened.Data.(event.Opened).Check == event.CheckUpdate {
			return true
		}
	}
	return false
}

// accusesImage says whether an event is a diagnosis, not older than since, that blames an
// update.
func accusesImage(e event.Incident, since time.Time) bool {
	diagnosed, is := e.Data.(event.Diagnosed)
	return is && diagnosed.CauseID == "bad_update" && !e.Time.Before(since)
}

// opensUpdate says whether an incident is to be opened about an update.
func opensUpdate(v View) bool { return v.Accused && !v.UpdateSeen }

// openUpdate opens the incident of a service that is not DOWN, and does worse
// since its image was changed.
func openUpdate(v View) Decision {
	return write(event.ByLogstream, event.Opened{Error: "since its image was changed: " + worse(*v.Update), Check: event.CheckUpdate,
		Instance: v.Status.Decided.Instance, FirstBad: v.Update.Since, Kind: "service"})
}

// accusesUpdate says whether the open incident goes on although the service is
// not DOWN: it is about an update that is still judged to be bad. One that was opened
// for a proposal is about the update as soon as that is judged to be bad.
func accusesUpdate(v View) bool {
	if !v.Accused {
		return false
	}
	opened, _ := v.Incident.Last(event.TypeOpened)
	about, _ := opened.Data.(event.Opened)
	return about.Check == event.CheckUpdate || v.Incident.CauseID == "bad_update" || v.Proposed && opensUpdate(v)
}

// withUpdate adds to the facts what the update shows. A service that failed
// before its image changed does not fail for that.
func withUpdate(v View, f *runbook.Facts) {
	u := v.Update
	if u == nil || u.ImageID != v.Inspection.state.ImageID {
		return
	}
	if u.FailingBefore && !isChangedSince(v, *u) {
		f.Changed, f.Updated = false, false
		return
	}
	if v.Accused && v.Status.Good() && update.ByLogAlone(u) {
		f.Refused = append(f.Refused, event.Refusal{Action: service.ActionRollback, Why: "its checks are as good as before its image changed: only its log is worse"})
	}
	if v.Accused && v.Status.Good() {
		f.Updated, f.Worse = true, worse(*u)
		f.Refused = append(f.Refused, event.Refusal{Action: service.ActionRestart, Why: "the service answers, and would be started from the same image again"})
	}
}

// isChangedSince says whether the service was healthy after an update that is good, and
// its container was changed again after that.
func isChangedSince(v View, u event.Update) bool {
	good := v.Target.Good
	return u.Verdict == event.UpdateGood && good != nil && good.ImageID == u.ImageID && !good.Since.Before(u.Since) && good.ContainerID != v.Inspection.state.ID
}

// worse is what is worse since an update, in words.
func worse(u event.Update) string {
	var all []string
	for _, reason := range u.Reasons {
		switch reason {
		case event.UpdateErrors:
			all = append(all, fmt.Sprintf("%.0f%% of its checks fail (%.0f%% before)", 100*u.After.ErrorRate(), 100*u.Before.ErrorRate()))
		case event.UpdateLatency:
			all = append(all, fmt.Sprintf("95%% of its checks take up to %.0f ms (%.0f ms before)", u.After.P95MS, u.Before.P95MS))
		case event.UpdateExits:
			all = append(all, fmt.Sprintf("its container ended %d times by itself (%d times before)", u.After.Exits, u.Before.Exits))
		case event.UpdateLog:
			all = append(all, newErrors(u.Logs))
		case event.UpdateDown:
			all = append(all, "the service is DOWN at the end of the watch")
		}
	}
	return strings.Join(all, "; ")
}
