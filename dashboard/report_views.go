package dashboard

import (
	"fmt"
	"strings"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/state"
)

// opinions writes what the runbook and the model said in the newest diagnosis,
// where a model was queried, which of the two was used, and which was right.
func opinions(b *strings.Builder, in view.IncidentDetail) {
	var newest event.Incident
	for _, e := range in.Events {
		if _, is := e.Data.(event.Diagnosed); is {
			newest = e
		}
	}
	d, is := newest.Data.(event.Diagnosed)
	if !is || d.Model == nil && d.Invalid == "" {
		return
	}
	byModel := strings.HasPrefix(newest.By, event.ByModel)
	b.WriteString("## Runbook and model\n\n")
	opinion := func(who string, o *event.Opinion, used bool, sure string) {
		mark := ""
		if used {
			mark = " **used**"
		}
		fmt.Fprintf(b, "- %s:%s %s; action: %s%s. %s\n", who, mark, plain(strings.TrimRight(o.Cause, ". ")), plain(o.Action), sure, plain(o.Why))
	}
	if d.Runbook != nil {
		opinion("The runbook", d.Runbook, !byModel, "") // its confidence is fixed for each cause
	}
	if d.Model != nil {
		sure := ""
		if d.Model.Confidence > 0 {
			sure = fmt.Sprintf(" (confidence %.0f%%)", 100*d.Model.Confidence)
		}
		opinion("The model", d.Model, byModel, sure)
	} else {
		fmt.Fprintf(b, "- The model: no usable answer: %s\n", plain(d.Invalid))
	}
	fmt.Fprintf(b, "- Outcome: %s\n\n", outcomes[in.Outcome])
}

// outcomes are the outcomes of a decision in words.
var outcomes = map[string]string{
	view.OutcomeVerified:    "the repair was verified.",
	view.OutcomeFailed:      "the repair failed, or was not verified.",
	view.OutcomeDenied:      "an operator denied the chosen action.",
	view.OutcomeInterrupted: "an external change interrupted the verification, so it is not known whether the decision was right.",
	view.OutcomeEscalated:   "a person is needed.",
	view.OutcomeRecovered:   "it ended without a verified repair, so it is not known whether the decision was right.",
	view.OutcomeClosed:      "an operator's command or the removal of the service ended the incident first, so it is not known whether the decision was right.",
	view.OutcomePending:     "none yet.",
}

// similar writes the earlier incidents of the same cause.
func similar(b *strings.Builder, list []view.Similar) {
	if len(list) == 0 {
		return
	}
	b.WriteString("## Similar incidents before\n\n")
	for _, s := range list {
		fmt.Fprintf(b, "- %s, %s, incident %s: %s\n", instant(s.Opened), plain(s.Service), code(s.ID), became(s))
	}
	b.WriteString("\n")
}

func became(s view.Similar) string {
	switch {
	case s.State == state.Escalated:
		return "a person is needed"
	case s.State != state.Resolved:
		return "still open"
	case s.How == event.HowHealed:
		return fmt.Sprintf("repaired by %s, down for %s", plain(s.Action), milliseconds(s.DownMS))
	case s.How == event.HowOperator:
		return "closed by an operator, or because the service was removed"
	}
	return "recovered without a repair, down for " + milliseconds(s.DownMS)
}
