package replay

import (
	"fmt"
	"io"
	"time"

	"logstream/healer"
)

// decided is a decision, when it was made, and after which input.
type decided struct {
	decision
	at    time.Duration // since the start
	after string
}

// recordedDecisions are those of the file.
func (r *Recording) recordedDecisions() []decided {
	var all []decided
	for _, s := range r.steps {
		for _, d := range s.decisions {
			all = append(all, decided{d, s.at.Sub(r.Start), describe(s.in)})
		}
	}
	return all
}

// Compare replays a recording. It returns how today's decisions differ from the
// recorded ones, as a text for people; empty: not at all.
func (r *Recording) Compare() (string, error) {
	var replayed []decided
	err := play(r, func(in healer.Input, at time.Time, out []healer.Effect) error {
		for _, e := range decisions(out) {
			d, err := decisionOf(e)
			if err != nil {
				return err
			}
			replayed = append(replayed, decided{d, at.Sub(r.Start), describe(in)})
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return differences(r.recordedDecisions(), replayed), nil
}

// Rewrite writes the recording again with the decisions of today.
func (r *Recording) Rewrite(to io.Writer) error {
	recorder, err := NewRecorder(to, r.Header)
	if err != nil {
		return err
	}
	if err := play(r, recorder.Observe); err != nil {
		return err
	}
	return recorder.Close()
}

// describe is an input in a few words.
func describe(in healer.Input) string {
	switch in := in.(type) {
	case healer.ReadHealth:
		return fmt.Sprintf("health log %s %s %s %d", in.Log.Service, in.Log.Check, in.Log.Status, in.Log.Code)
	case healer.ReadDocker:
		return fmt.Sprintf("engine event %s %s", in.Event.Container, in.Event.Action)
	case healer.ReadService:
		return "service record of " + in.Service.Service
	case healer.ReadCommand:
		return fmt.Sprintf("command %s %s", in.Command.Command, in.Command.Service)
	case healer.ReadIncident:
		return fmt.Sprintf("%s of %s read back", in.Event.Type, in.Event.Service)
	case healer.Inspected:
		return fmt.Sprintf("inspection of %s: %s", in.Service, orError(string(in.State.Status), in.Err))
	case healer.Executed:
		return fmt.Sprintf("call for %s ended: %s", in.Service, orError("ok"+in.NotExecuted, in.Err))
	case healer.Answered:
		return "the model's answer about " + in.Service
	}
	line, err := encodeInput(in)
	if err != nil {
		return "a tick"
	}
	return line.Input
}

func orError(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}
