package notify

import (
	"fmt"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/redact"
	"logstream/internal/state"
	"logstream/internal/text"
)

// Note is what a message says, as templates have it. What others wrote is of one
// line, and secrets in it are masked.
type Note struct {
	Event    string    `json:"event"`
	Severity string    `json:"severity"`
	Time     time.Time `json:"time"`   // when it happened
	Repeat   int       `json:"repeat"` // 0: the first message about it
	Host     string    `json:"host"`

	Service  string `json:"service"`
	Group    string `json:"group"`
	About    string `json:"note"` // the service's note in config.yaml
	Incident string `json:"incident"`
	Fleet    bool   `json:"fleet"`    // several services at once
	Observed bool   `json:"observed"` // in mode observe: nothing is repaired

	Error      string    `json:"error"`      // why the service was DOWN
	Cause      string    `json:"cause"`      // one sentence
	Action     string    `json:"action"`     // that was chosen last
	Command    string    `json:"command"`    // what a person would type for it
	Attempts   int       `json:"attempts"`   // repairs that were executed
	Reason     string    `json:"reason"`     // why a person is needed, or asked
	Cost       string    `json:"cost"`       // of what waits for approval
	Undo       string    `json:"undo"`       // how that is undone
	Expires    time.Time `json:"expires"`    // when its approval does
	Waiting    string    `json:"waiting"`    // how long a repeated message has waited for a person
	How        string    `json:"how"`        // healed, recovered or operator
	Took       string    `json:"took"`       // how long it was DOWN, or unavailable
	Dependents []string  `json:"dependents"` // services that fail because of this one

	Part   string `json:"part"`    // Docker, Kafka or the model
	What   string `json:"what"`    // its problem
	Works  string `json:"works"`   // meanwhile
	OnHold string `json:"on_hold"` // meanwhile
	Remedy string `json:"remedy"`

	Repairs   int      `json:"repairs"`   // of a digest: healed
	Recovered int      `json:"recovered"` // by themselves
	Needed    int      `json:"needed"`    // incidents that needed a person
	Open      []string `json:"open"`      // services that still do
	Waited    int      `json:"waited"`    // of a summary: how many it stands for
	Lines     []string `json:"lines"`     // of a summary or digest: what happened

	items    []Note // of a summary
	approval int    // seq of the request for approval
}

// clean is foreign text as it may be sent.
func clean(s string) string { return redact.Text(text.Line(s)) }

// noteOf is what an event of an incident says.
func (f *Fold) noteOf(in *state.Incident, e event.Incident, on, severity string, now time.Time) Note {
	n := Note{Event: on, Severity: severity, Time: e.Time, Host: f.host, Service: in.Service, Incident: in.ID, Fleet: in.Kind == "fleet",
		Error: clean(in.Error), Cause: clean(in.Cause), Action: in.Action, Attempts: in.Counted, Dependents: f.dependents(in)}
	if s, known := f.services[in.Service]; known && s.Definition != nil {
		n.Group, n.About = s.Definition.Group, clean(s.Definition.Note)
	}
	if last, is := in.Last(event.TypeActionStarted); is {
		n.Command = clean(last.Data.(event.ActionStarted).Command)
	}
	if last, is := in.Last(event.TypeEscalated); is {
		n.Reason = clean(last.Data.(event.Escalated).Reason)
	}
	switch data := e.Data.(type) {
	case event.ApprovalRequested:
		n.Action, n.Command, n.Cost, n.Undo = data.Action, clean(data.Command), clean(data.Cost), clean(data.Undo)
		n.Reason, n.Expires, n.approval = clean(data.Reason), data.Expires, e.Seq
	case event.Suppressed:
		n.Reason, n.Observed, n.Command = clean(data.Reason), data.Gate == state.HeldToObserve, "" // what was executed in another mode is not what would be
		for _, before := range in.Events {
			if d, is := before.Data.(event.Diagnosed); is && before.Seq < e.Seq {
				n.Command = clean(d.Command) // that of the reason
			}
		}
	case event.Resolved:
		n.How, n.Took, n.Attempts = data.How, duration(time.Duration(data.DownMS*float64(time.Millisecond))), data.Attempts
		if in.CausePast != "" {
			n.Cause = clean(in.CausePast)
		}
	}
	n.Waiting = duration(now.Sub(e.Time))
	return n
}

// partNames are what people call the parts whose loss is notified.
var partNames = map[string]string{health.Bus: "Kafka", health.Docker: "Docker", health.LLM: "The model"}

// noteOfPart is what is said of a part that is lost, or back.
func (f *Fold) noteOfPart(on string, o outage, at time.Time) Note {
	n := Note{Event: on, Severity: severityOfPart(on, o.problem.Part), Time: at, Host: f.host, Part: partNames[o.problem.Part]}
	if on == Lost {
		n.What, n.Works, n.OnHold, n.Remedy = clean(o.problem.What), clean(o.problem.Works), clean(o.problem.OnHold), clean(o.problem.Remedy.String())
		return n
	}
	n.Took = duration(at.Sub(o.problem.Since))
	return n
}

func severityOfPart(on, part string) string {
	if on == Lost && part != health.LLM {
		return normal
	}
	return low
}

// duration is a time that passed, in words.
func duration(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Second:
		return "1 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
