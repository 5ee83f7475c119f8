package dashboard

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"logstream/dashboard/public"
	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/link"
	"logstream/internal/state"
	"logstream/internal/text"
)

// offer is what a link would do now, or why it does nothing.
type offer struct {
	refused refusal
	early   bool        // refused, maybe only until the event log has been read further
	page    public.Link // what is shown, refused or not

	service    string // the command's
	args       event.CommandArgs
	done, next string // what is said once it is recorded
}

// offer decides about a link as everything stands now. Whether an approval still
// fits the container is decided later, by the healer.
func (l *loop) offer(of link.Link, host string) offer {
	if !l.live[event.TopicIncidents] || !l.live[event.TopicServices] || !l.live[event.TopicCommands] {
		return refuse(http.StatusServiceUnavailable, "", "LogStream has just started and is reading its event log: try again in a few seconds.")
	}
	if !link.Names(of.Host, host) {
		return refuse(http.StatusConflict, "", "This link is for host %s, and this LogStream works on host %s: open it there.", quoted(of.Host), quoted(host))
	}
	var in view.IncidentDetail
	if of.Incident != "" {
		var is bool
		if in, is = l.fleet.Incident(of.Incident, now()); !is {
			o := refuse(http.StatusGone, "", "The incident of this link is no longer known: incidents are kept for 90 days.")
			o.early = true
			return o
		}
		if !link.Names(of.Host, in.Host) || of.Service != "" && !link.Names(of.Service, in.Service) {
			return refuse(http.StatusConflict, "", "This link is for another incident: nothing is done.")
		}
	}
	if used, is := l.fleet.Commands.ByLink(of.ID); is {
		return usedAlready(used, in)
	}
	if l.acting[of.ID] {
		return refuse(http.StatusConflict, in.ID, "This link is being used at this moment: open it again in a few seconds.")
	}
	if in.State == state.Resolved && in.Resolved != nil {
		return refuse(http.StatusConflict, in.ID, "The incident of %s ended at %s: nothing is left to do.", quoted(in.Service), public.Moment(*in.Resolved))
	}
	var o offer
	switch of.Command {
	case link.Approve, link.Deny:
		o = answerOf(of, in)
		if counts := l.answered(in.ID, o.args.Request); counts != "" && !o.refused.is() {
			o = refuse(http.StatusConflict, in.ID, "%s.", capital(counts))
		}
	case link.Silence:
		o = l.silenceOf(of, in)
	default:
		o = holdOf(of, host)
	}
	o.page.Incident = in.ID
	return o
}

func refuse(status int, incident, format string, args ...any) offer {
	why := fmt.Sprintf(format, args...)
	return offer{refused: refusal{status, why}, page: public.Link{Title: "Nothing was done", Tone: "warn", Say: why, Incident: incident}}
}

// usedAlready says what became of a link that was used.
func usedAlready(c event.Command, in view.IncidentDetail) offer {
	became := "LogStream has not answered it yet."
	switch {
	case c.Result != nil && c.Result.OK:
		became = "LogStream executed it."
	case c.Result != nil:
		became = refusedBecause(c.Command, *c.Result)
	}
	why := fmt.Sprintf("This link was used at %s, to %s; it works once. %s", public.Moment(c.Time), c.Command, became)
	return offer{refused: refusal{http.StatusGone, why}, page: public.Link{Title: "Used already", Say: why, Again: c.Result == nil, Incident: in.ID}}
}

func refusedBecause(command string, result event.CommandResult) string {
	return "LogStream refused it: " + text.Short(strings.TrimPrefix(result.Error, command+": ")) + "."
}

// answerOf is the approval or the denial of one request.
func answerOf(of link.Link, in view.IncidentDetail) offer {
	request, err := strconv.Atoi(of.Approval)
	if err != nil || in.ID == "" {
		return refuse(http.StatusNotFound, in.ID, "This link names no request for approval: open it from the message again.")
	}
	a, over := in.Approval, overtaken(in.Events, request)
	switch {
	case over != "":
		return refuse(http.StatusConflict, in.ID, "%s", over)
	case a == nil || a.Request != request:
		o := refuse(http.StatusConflict, in.ID, "This link is for a request that this incident does not have.")
		o.early = len(in.Events) > 0 && in.Events[len(in.Events)-1].Seq < request
		return o
	case !now().Before(a.Expires):
		return refuse(http.StatusGone, in.ID, "The request for approval expired at %s.", public.Moment(a.Expires))
	}
	what := text.Short(strings.ReplaceAll(a.Action, "_", " ") + " " + cmp.Or(a.Target, in.Service))
	o := offer{service: in.Service, args: event.CommandArgs{Incident: in.ID, Request: request}}
	o.page = public.Link{Rows: []public.Row{
		{Name: "Service", Value: in.Service},
		{Name: "What is wrong", Value: text.Short(cmp.Or(in.Cause, in.Error))},
		{Name: "Command", Value: text.Clip(text.Line(a.Command), maxLine), Code: true},
		{Name: "Cost", Value: text.Short(a.Cost)},
		{Name: "Undo", Value: cmp.Or(text.Clip(text.Line(a.Undo), maxLine), "LogStream cannot undo it."), Code: a.Undo != ""},
		{Name: "Why it waits", Value: capital(text.Short(a.Reason))},
		{Name: "Valid until", Value: public.Moment(earlier(a.Expires, of.Expires))},
	}}
	o.page.Rows = filled(o.page.Rows)
	if of.Command == link.Deny {
		o.page.Title, o.page.Button, o.page.Danger = "Deny: "+what+"?", "Deny", true
		o.page.Say = "It is not executed, and not offered again in this incident."
		o.done, o.next = "Denied", "LogStream does not execute it."
		return o
	}
	o.page.Title, o.page.Button = "Approve: "+what+"?", "Approve"
	o.page.Say = "LogStream checks the container once more, and then executes it."
	o.done, o.next = "Approved", "LogStream checks the container once more, and then executes it."
	return o
}

const maxLine = 1000 // bytes of a command line

// filled are the rows that have something to say.
func filled(rows []public.Row) []public.Row {
	var list []public.Row
	for _, row := range rows {
		if row.Value != "" {
			list = append(list, row)
		}
	}
	return list
}

// overtaken is why a request for approval no longer stands: what the healer wrote
// after it has ended it, and an answer to it would count for nothing. Empty: it
// stands.
func overtaken(events []event.Incident, request int) string {
	why := ""
	for _, e := range events {
		if e.Seq <= request {
			continue
		}
		switch e.Type {
		case event.TypeAcknowledged:
		case event.TypeApproved:
			return fmt.Sprintf("This request was approved already, at %s, by %s.", public.Moment(e.Time), text.Short(who(e.By)))
		case event.TypeDenied:
			return fmt.Sprintf("This request was denied already, at %s, by %s.", public.Moment(e.Time), text.Short(who(e.By)))
		case event.TypeApprovalRequested:
			return "The situation changed after this message, and approval was requested again: use the newest message, or the dashboard."
		case event.TypeEscalated:
			return fmt.Sprintf("Nothing waits for approval any more: LogStream handed the incident to a person at %s.", public.Moment(e.Time))
		default:
			why = "The situation changed after this message, and this request is no longer valid: LogStream sends a new one if approval is still needed."
		}
	}
	return why
}

// silenceOf is the silence of one service.
func (l *loop) silenceOf(of link.Link, in view.IncidentDetail) offer {
	name := cmp.Or(in.Service, of.Service)
	def := l.fleet.Definition(name)
	switch {
	case def == nil:
		return refuse(http.StatusNotFound, in.ID, "The service %s is not configured.", quoted(name))
	case of.For <= 0 || of.For > maxSilence:
		return refuse(http.StatusNotFound, in.ID, "The duration in this link is not between 1s and 720h: nothing is done.")
	}
	o := offer{service: def.Name, args: event.CommandArgs{For: of.For.String()}}
	o.page = public.Link{Title: "Silence " + text.Short(def.Name) + " for " + public.Spell(of.For) + "?", Button: "Silence",
		Say:  "LogStream neither repairs it nor notifies about it until the silence ends. Its checks go on.",
		Rows: []public.Row{{Name: "Service", Value: def.Name}, {Name: "Until", Value: public.Moment(now().Add(of.For)) + ", or earlier with logstream unsilence"}}}
	o.done, o.next = "Silenced", text.Short(def.Name)+": no repairs and no notifications until "+public.Moment(now().Add(of.For))+"."
	return o
}

// holdOf is the hold of this host.
func holdOf(of link.Link, host string) offer {
	if of.For < 0 || of.For > maxHold {
		return refuse(http.StatusNotFound, "", "The duration in this link is not up to 720h: nothing is done.")
	}
	o := offer{service: event.AllServices}
	until := "until it is released with logstream release"
	if of.For > 0 {
		o.args.For, until = of.For.String(), "until "+public.Moment(now().Add(of.For))+", or earlier with logstream release"
	}
	o.page = public.Link{Title: "Hold all repairs?", Button: "Hold all repairs", Danger: true, Say: "Nothing is repaired on this host meanwhile. Checks and notifications go on.",
		Rows: []public.Row{{Name: "Host", Value: host}, {Name: "How long", Value: capital(until)}}}
	o.done, o.next = "On hold", "Nothing is repaired on this host "+until+"."
	return o
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// capital begins a sentence.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}
