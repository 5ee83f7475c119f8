package state

import (
	"testing"

	"logstream/internal/event"
)

func TestUndoable(t *testing.T) {
	raised := func(attempt int) event.ActionStarted {
		return event.ActionStarted{Attempt: attempt, Action: "raise_memory", Undo: &event.Params{MemoryBytes: 1 << 20}}
	}
	done := func(attempt int) event.ActionFinished {
		return event.ActionFinished{Attempt: attempt, OK: true, Outcome: event.OutcomeOK}
	}
	refused := event.ActionFinished{Attempt: 1, Outcome: event.OutcomeRefused}
	undoing := func(attempt, of int) event.ActionStarted {
		return event.ActionStarted{Attempt: attempt, Action: "raise_memory", Undoes: of}
	}
	for name, tt := range map[string]struct {
		events  []event.Data // of incident x
		other   []event.Data // of incident y
		attempt int
		want    int // the attempt; 0: none
		code    event.RefusalCode
	}{
		"nothing was done":          {[]event.Data{event.Opened{}}, nil, 0, 0, event.RefusedNothing},
		"no such attempt":           {[]event.Data{event.Opened{}, raised(1), done(1)}, nil, 2, 0, event.RefusedUnknown},
		"it has no inverse":         {[]event.Data{event.Opened{}, event.ActionStarted{Attempt: 1, Action: "restart"}, done(1)}, nil, 1, 0, event.RefusedNothing},
		"it was not executed":       {[]event.Data{event.Opened{}, raised(1), refused}, nil, 1, 0, event.RefusedNothing},
		"it runs":                   {[]event.Data{event.Opened{}, raised(1)}, nil, 0, 0, event.RefusedNothing},
		"it was":                    {[]event.Data{event.Opened{}, raised(1), done(1)}, nil, 1, 1, ""},
		"the newest":                {[]event.Data{event.Opened{}, raised(1), done(1), raised(2), done(2)}, nil, 0, 2, ""},
		"the newest that can be":    {[]event.Data{event.Opened{}, raised(1), done(1), event.ActionStarted{Attempt: 2, Action: "restart"}, done(2)}, nil, 0, 1, ""},
		"undone in the incident":    {[]event.Data{event.Opened{}, raised(1), done(1), undoing(2, 1), done(2)}, nil, 1, 0, event.RefusedDuplicate},
		"undone, the newest":        {[]event.Data{event.Opened{}, raised(1), done(1), undoing(2, 1), done(2)}, nil, 0, 0, event.RefusedDuplicate},
		"an undo that was refused":  {[]event.Data{event.Opened{}, raised(1), done(1), undoing(2, 1), event.ActionFinished{Attempt: 2, Outcome: event.OutcomeRefused}}, nil, 1, 1, ""},
		"undone in another":         {[]event.Data{event.Opened{}, raised(1), done(1), event.Resolved{}}, []event.Data{event.Opened{UndoesIncident: "x", Undoes: 1}, undoing(1, 1), done(1)}, 1, 0, event.RefusedDuplicate},
		"being undone in another":   {[]event.Data{event.Opened{}, raised(1), done(1), event.Resolved{}}, []event.Data{event.Opened{UndoesIncident: "x", Undoes: 1}, undoing(1, 1)}, 1, 0, event.RefusedDuplicate},
		"another incident's undoes": {[]event.Data{event.Opened{}, raised(1), done(1), event.Resolved{}}, []event.Data{event.Opened{UndoesIncident: "z", Undoes: 1}, undoing(1, 1), done(1)}, 1, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			log := []event.Incident{claimed("n1", 1)}
			for i, data := range tt.events {
				log = append(log, written("n1", "x", i+1, i, data))
			}
			for i, data := range tt.other {
				log = append(log, written("n1", "y", i+1, 100+i, data))
			}
			f := fold(log...)
			got, code := f.Undoable(f.Get("x"), tt.attempt)
			if got.Started.Attempt != tt.want || code != tt.code {
				t.Errorf("attempt %d, code %q; want %d, %q", got.Started.Attempt, code, tt.want, tt.code)
			}
		})
	}
}

func TestAcknowledgementIsFolded(t *testing.T) {
	ack := written("n1", "x", 3, 5, event.Acknowledged{Reason: "on it"})
	ack.By = "operator:ada"
	f := fold(claimed("n1", 1), written("n1", "x", 1, 0, event.Opened{}), written("n1", "x", 2, 1, event.Escalated{Reason: "why"}), ack)
	in := f.Get("x")
	if in.State != Escalated || in.Acknowledged == nil || *in.Acknowledged != (Acknowledged{By: "operator:ada", At: ack.Time, Reason: "on it"}) {
		t.Errorf("it is %s, acknowledged %+v", in.State, in.Acknowledged)
	}
}
