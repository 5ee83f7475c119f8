package dashboard

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"time"

	"logstream/dashboard/access"
	"logstream/dashboard/public"
	"logstream/internal/event"
	"logstream/internal/link"
)

// What a signed link of a notification does. GET says what, and changes nothing
// however often a chat program fetches it; the form on that page does it, once. The
// link is what permits it: no token is needed beside it.

const (
	actPath     = "/act/"
	maxForm     = 4 << 10 // bytes
	linkCommand = "link-" // begins the command's id, of which each healer executes one

	resultWithin = 3 * time.Second        // what is answered later is shown when the link is opened again
	resultEvery  = 100 * time.Millisecond // between two looks for it
)

// acts are the calls of signed links.
func (r *run) acts() map[string]methods {
	return map[string]methods{actPath + "{token}": {http.MethodGet: {access.Anyone, r.getAct}, http.MethodPost: {access.Anyone, r.postAct}}}
}

// linkForm is what the page of a link sends.
type linkForm struct {
	Confirm string `json:"confirm"` // of the page's hidden field
}

// linkHeaders are those of every answer about a link. The address is a secret:
// it is neither kept nor sent on.
func linkHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", public.Policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// show answers with the page of a link.
func show(w http.ResponseWriter, status int, page public.Link) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Page()) // a client that disconnected needs no answer
}

// notDone answers that nothing was done, and why.
func notDone(w http.ResponseWriter, no refusal, incident string) {
	show(w, no.status, public.Link{Title: "Nothing was done", Tone: "warn", Say: no.why, Incident: incident})
}

// opened reads the link of a request; where it is none that counts it is
// answered for.
func (r *run) opened(w http.ResponseWriter, req *http.Request) (token string, l link.Link, is bool) {
	linkHeaders(w)
	token = req.PathValue("token")
	if r.deps.Links == nil {
		notDone(w, refusal{http.StatusNotFound, "This LogStream makes no links."}, "")
		return token, l, false
	}
	l, err := r.deps.Links.Read(token, now())
	limit := r.limits.links
	if err != nil {
		limit = r.limits.wrongLinks // these keep no right link out
	}
	if err == nil && !r.limits.link.Allow(l.ID, now()) { // nor does one that is opened without end
		w.Header().Set("Retry-After", "2")
		notDone(w, refusal{http.StatusTooManyRequests, "This link was opened too often. Try again in 2 seconds."}, "")
		return token, l, false
	}
	if !limit.Allow() {
		w.Header().Set("Retry-After", "1")
		notDone(w, refusal{http.StatusTooManyRequests, "Too many links were opened just now: try again in a second."}, "")
		return token, l, false
	}
	if no := unread(l, err); no.is() {
		notDone(w, no, l.Incident)
		return token, l, false
	}
	return token, l, true
}

// unread is why a link cannot be read.
func unread(l link.Link, err error) refusal {
	switch {
	case errors.Is(err, link.ErrMalformed):
		return refusal{http.StatusNotFound, "This link is incomplete: open it from the message again."}
	case errors.Is(err, link.ErrAltered):
		return refusal{http.StatusForbidden, "This link was not made by this LogStream, or it was altered: open it from the message again."}
	case errors.Is(err, link.ErrExpired):
		return refusal{http.StatusGone, "This link expired at " + public.Moment(l.Expires) + ": use a newer message, or the dashboard."}
	case l.Expires.Sub(now()) > link.MaxValid:
		return refusal{http.StatusForbidden, "This link is valid for longer than LogStream remembers that it was used: it is not accepted."}
	}
	return refusal{}
}

func (r *run) getAct(w http.ResponseWriter, req *http.Request) {
	token, l, is := r.opened(w, req)
	if !is {
		return
	}
	o, err := r.offered(req.Context(), func(loop *loop) offer { return loop.offer(l, r.deps.Identity.Host) })
	if err != nil {
		notDone(w, refusal{http.StatusServiceUnavailable, sentenceOf(err)}, l.Incident)
		return
	}
	if o.refused.is() {
		show(w, o.refused.status, o.page)
		return
	}
	o.page.Confirm = r.deps.Links.Confirmation(token)
	show(w, http.StatusOK, o.page)
}

func (r *run) postAct(w http.ResponseWriter, req *http.Request) {
	token, l, is := r.opened(w, req)
	if !is {
		return
	}
	if no := r.confirmed(w, req, token); no.is() {
		notDone(w, no, l.Incident)
		return
	}
	var acting []string // keys in loop.acting: other requests for them are refused until this one is recorded
	o, err := r.offered(req.Context(), func(loop *loop) offer {
		o := loop.offer(l, r.deps.Identity.Host)
		if o.refused.is() {
			return o
		}
		if acting = append(acting, l.ID); o.args.Request != 0 {
			acting = append(acting, answerKey(o.args.Incident, o.args.Request))
		}
		for _, key := range acting {
			loop.acting[key] = true
		}
		return o
	})
	if err != nil {
		notDone(w, refusal{http.StatusServiceUnavailable, sentenceOf(err)}, l.Incident)
		return
	}
	if o.refused.is() {
		show(w, o.refused.status, o.page)
		return
	}
	o.args.Link = l.ID
	command := event.Command{
		ID: linkCommand + l.ID, Time: now(), By: event.ByPhoneLink, Service: o.service, Command: l.Command, Args: o.args,
		Origin: event.Origin{Instance: r.deps.Identity.Instance, Host: r.deps.Identity.Host},
	}
	recorded := r.record(req, command)
	r.send(r.ctx, func(loop *loop) {
		for _, key := range acting {
			delete(loop.acting, key)
		}
	})
	if !recorded {
		notDone(w, refusal{http.StatusServiceUnavailable, "Kafka did not confirm it: it may not have been recorded. Open the link again in a minute; it is done once at most."}, l.Incident)
		return
	}
	switch result := r.became(req.Context(), command.ID); {
	case result == nil:
		show(w, http.StatusAccepted, public.Link{Title: "Recorded, not executed yet", Say: "Open this page again in a few seconds to see the result.", Again: true, Incident: o.page.Incident})
		return
	case !result.OK:
		notDone(w, refusal{http.StatusConflict, refusedBecause(command.Command, *result)}, o.page.Incident)
		return
	}
	show(w, http.StatusAccepted, public.Link{Title: o.done, Tone: "up", Say: o.next, Incident: o.page.Incident})
}

// offered is what decide decides, on the loop. The message of a link may be quicker
// than the page: where only that is wrong, it is decided again for a moment.
func (r *run) offered(ctx context.Context, decide func(*loop) offer) (o offer, err error) {
	until := time.Now().Add(r.limits.result)
	for {
		if err := r.inLoop(ctx, func(l *loop) { o = decide(l) }); err != nil || !o.early || !time.Now().Before(until) {
			return o, err
		}
		select {
		case <-ctx.Done():
			return o, nil
		case <-r.ctx.Done():
			return o, nil
		case <-time.After(resultEvery):
		}
	}
}

// became waits a moment for the result of a command. nil: there is none yet. What the
// page says is what the healer decided: where two dashboards take an answer to one
// request in one moment, one of them is refused.
func (r *run) became(ctx context.Context, id string) *event.CommandResult {
	ctx, cancel := context.WithTimeout(ctx, r.limits.result)
	defer cancel()
	tick := time.NewTicker(resultEvery)
	defer tick.Stop()
	for {
		var c event.Command
		if r.inLoop(ctx, func(l *loop) { c, _ = l.fleet.Commands.Get(id) }) == nil && c.Result != nil {
			return c.Result
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// confirmed says why the form of a link is not taken: it comes from our own page,
// of this link. A browser that is not given where a form comes from (the page has
// no referrer) sends the Origin null over plain HTTP: what only our page holds
// decides then.
func (r *run) confirmed(w http.ResponseWriter, req *http.Request, token string) refusal {
	hidden := req.Header.Get("Origin") == "null" && req.Header.Get("Sec-Fetch-Site") == ""
	if no := r.guard.origin(req); no.is() && !hidden {
		return refusal{no.status, "The request comes from a page of another site: open the link itself."}
	}
	if media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return refusal{http.StatusUnsupportedMediaType, "Confirm it with the button on the page of the link."}
	}
	all, bad := body(w, req, maxForm)
	if bad.is() {
		return refusal{bad.status, "The form is too large or ended early: open the link again."}
	}
	form, err := url.ParseQuery(string(all))
	if err != nil || len(form) != 1 || len(form["confirm"]) != 1 {
		return refusal{http.StatusBadRequest, "Confirm it with the button on the page of the link."}
	}
	if !r.deps.Links.Confirms(token, form.Get("confirm")) {
		return refusal{http.StatusForbidden, "The confirmation is not of this link: open the link again."}
	}
	return refusal{}
}

func sentenceOf(err error) string { return capital(err.Error()) + "." }
