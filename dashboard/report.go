package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

// Report is the post-mortem of an incident in Markdown: what it was, what was
// done, and every event with its time. Where a reporter wrote one, that is it.
// What others wrote stands in it as text, never as markup.
func Report(in view.IncidentDetail) string {
	for i := len(in.Events) - 1; i >= 0; i-- {
		if written, is := in.Events[i].Data.(event.Reported); is && written.Text != "" {
			return written.Text
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n%s\n\n", plain(in.Service), heading(in.Incident), summary(in.Incident))
	fmt.Fprintf(&b, "| | |\n|---|---|\n")
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", name, value)
		}
	}
	row("Incident", code(in.ID))
	if !in.FirstBad.IsZero() {
		row("First bad observation", instant(in.FirstBad))
	}
	row("Opened", instant(in.Opened))
	if in.Resolved != nil {
		row("Resolved", instant(*in.Resolved))
	}
	row("Detected after", milliseconds(in.TTDMS))
	row("Down for", milliseconds(in.DownMS))
	row("Resolved after", milliseconds(in.TTRMS))
	row("Attempts", fmt.Sprint(in.Attempts))
	row("Why it was opened", plain(in.Error))
	if in.Acknowledged != nil {
		row("Acknowledged by", plain(event.OperatorName(in.Acknowledged.By)))
	}
	row("Cause", plain(causeOf(in.Incident)))
	row("Decided by", plain(in.DecidedBy))
	b.WriteString("\n")
	evidence(&b, in.Events)
	opinions(&b, in)
	refusals(&b, in.Events)
	notes(&b, in.Notes)
	similar(&b, in.Similar)
	b.WriteString("## What happened\n\n")
	for _, e := range in.Events {
		fmt.Fprintf(&b, "- %s (+%s, by %s) %s\n", instant(e.Time), elapsed(e.Time.Sub(in.Opened)), plain(who(e.By)), sentence(e))
	}
	return b.String()
}

// notes writes what operators added.
func notes(b *strings.Builder, list []view.Note) {
	if len(list) == 0 {
		return
	}
	b.WriteString("## Notes\n\n")
	for _, n := range list {
		fmt.Fprintf(b, "- %s, by %s: %s\n", instant(n.Time), plain(who(n.By)), plain(n.Text))
	}
	b.WriteString("\n")
}

// causeOf is in the past once the incident is.
func causeOf(in view.Incident) string {
	if in.State == state.Resolved && in.CausePast != "" {
		return in.CausePast
	}
	return in.Cause
}

func heading(in view.Incident) string {
	if in.State == state.Open && in.Approval != nil {
		return "approval needed"
	}
	switch in.State {
	case state.Resolved:
		switch in.How {
		case event.HowHealed:
			return "repaired by " + plain(in.Action)
		case event.HowOperator:
			return "closed by an operator, or because the service was removed"
		}
		return "recovered by itself"
	case state.Escalated:
		return "a person is needed"
	}
	return "still open"
}

func summary(in view.Incident) string {
	switch in.State {
	case state.Resolved:
		down := milliseconds(in.DownMS)
		switch in.How {
		case event.HowHealed:
			return fmt.Sprintf("%s was down for %s. The repair was verified by checks that began after it.", plain(in.Service), down)
		case event.HowOperator:
			return fmt.Sprintf("The incident of %s was %s.", plain(in.Service), heading(in))
		}
		return fmt.Sprintf("%s was down for %s. It recovered without a verified repair.", plain(in.Service), down)
	case state.Escalated:
		return plain(in.Service) + " needs a person: LogStream does nothing automatically until the facts change."
	}
	if in.Held != "" {
		return fmt.Sprintf("Repair held by gate \"%s\": %s", plain(in.Held), plain(in.HeldReason))
	}
	return "LogStream is diagnosing or repairing it."
}

// evidence writes the newest facts, what decided first, and the log lines.
func evidence(b *strings.Builder, events []event.Incident) {
	var newest event.Evidence
	found := false
	for _, e := range events {
		if data, is := e.Data.(event.Evidence); is {
			newest, found = data, true
		}
	}
	if !found {
		return
	}
	b.WriteString("## Evidence\n\n")
	for _, decisive := range []bool{true, false} {
		for _, f := range newest.Facts {
			if f.Decisive != decisive {
				continue
			}
			mark, why := "", ""
			if decisive {
				mark = " **decisive**"
			}
			if f.Why != "" {
				why = ": " + plain(f.Why)
			}
			fmt.Fprintf(b, "- %s = %s%s%s\n", plain(f.Key), code(f.Value), mark, why)
		}
	}
	b.WriteString("\n")
	if len(newest.Logs) > 0 {
		said := newest.NewLines()
		lines := slices.Clone(newest.Logs)
		for i := range lines {
			if said[i] != "" {
				lines[i] += "    ← " + said[i]
			}
		}
		fence(b, lines)
	}
	if newest.Truncated && len(newest.Logs) > 0 {
		b.WriteString("Other lines of the log were left out.\n\n")
	}
}

// refusals writes which actions the newest diagnosis did not offer, and why.
func refusals(b *strings.Builder, events []event.Incident) {
	var newest event.Diagnosed
	for _, e := range events {
		if d, is := e.Data.(event.Diagnosed); is {
			newest = d
		}
	}
	if len(newest.NotOffered) == 0 {
		return
	}
	b.WriteString("## Not offered\n\n")
	for _, r := range newest.NotOffered {
		fmt.Fprintf(b, "- %s: %s\n", plain(r.Action), plain(r.Why))
	}
	b.WriteString("\n")
}

// who is Incident.By for people.
func who(by string) string {
	if strings.HasPrefix(by, event.ByOperator) {
		return event.OperatorName(by)
	}
	if program, is := event.ProposerName(by); is {
		return program
	}
	if by == event.ByGuard {
		return "LogStream's gates"
	}
	return by
}

// sentence is what one event says.
func sentence(e event.Incident) string {
	switch d := e.Data.(type) {
	case event.Opened:
		if d.UndoesIncident != "" {
			return fmt.Sprintf("undo of attempt %d of incident %s requested", d.Undoes, plain(d.UndoesIncident))
		}
		return because("opened", d.Error)
	case event.Evidence:
		return fmt.Sprintf("evidence: %s, %s", many(len(d.Facts), "fact"), many(len(d.Logs), "log line"))
	case event.Diagnosed:
		return fmt.Sprintf("diagnosed: %s; action: %s", plain(strings.TrimRight(d.Cause, ". ")), plain(d.Action))
	case event.ApprovalRequested:
		return fmt.Sprintf("approval requested for %s: %s", plain(d.Action), plain(d.Reason))
	case event.Approved:
		return because("approved", d.Reason)
	case event.Denied:
		return because("denied", d.Reason)
	case event.Acknowledged:
		return because("acknowledged", d.Reason)
	case event.ActionStarted:
		if d.Undoes > 0 {
			return fmt.Sprintf("undo of attempt %d: %s", d.Undoes, code(cmp.Or(d.Command, "undo "+d.Action+" "+d.Target)))
		}
		return fmt.Sprintf("attempt %d: %s", d.Attempt, code(cmp.Or(d.Command, d.Action+" "+d.Target))) // the demo has no command lines
	case event.ActionFinished:
		if d.OK {
			return fmt.Sprintf("attempt %d: done in %s", d.Attempt, milliseconds(&d.DurationMS)) + kept(d.KeptID) + printed(d.Output)
		}
		if d.Outcome == event.OutcomeNotExecuted {
			return fmt.Sprintf("attempt %d: %s", d.Attempt, plain(d.Error)) // which says that it was not executed
		}
		return fmt.Sprintf("attempt %d: failed: %s", d.Attempt, plain(d.Error)) + printed(d.Output)
	case event.Verified:
		if d.OK {
			if d.Observations == 0 { // of an undo: no check is needed
				return "verified: an inspection of the container shows the change"
			}
			return fmt.Sprintf("verified by %d good checks", d.Observations)
		}
		if d.Outcome == event.OutcomeInterrupted {
			return plain(d.Error) // which says that it was interrupted
		}
		return "verification failed: " + plain(d.Error)
	case event.Resolved:
		return "resolved: " + plain(d.How)
	case event.Escalated:
		return "escalated: " + plain(d.Reason)
	case event.Suppressed:
		root := ""
		if d.RootIncident != "" {
			root = fmt.Sprintf(" (incident %s of %s)", plain(d.RootIncident), plain(d.Root))
		}
		return fmt.Sprintf("repair held by gate \"%s\": %s%s", plain(d.Gate), plain(d.Reason), root)
	}
	return plain(string(e.Type))
}

// because is what happened, with the reason where one was given.
func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + plain(why)
}

// kept says where the container is that an action replaced.
func kept(id string) string {
	if id == "" {
		return ""
	}
	id = id[:min(len(id), 12)] // as Docker prints it
	return fmt.Sprintf("; the old container is kept as %[1]s; remove it with %[2]s when it is no longer needed", code(id), code("docker rm "+id))
}

// printed is what an operator's command printed, under the line of its event.
func printed(output string) string {
	if output == "" {
		return ""
	}
	var b strings.Builder
	fence(&b, strings.Split(strings.TrimRight(output, "\n"), "\n"))
	return "\n\n  " + strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), "\n", "\n  ") + "\n"
}

// many is a number of things: "1 fact", "2 facts".
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
