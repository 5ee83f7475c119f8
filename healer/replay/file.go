package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"logstream/healer"
	"logstream/internal/recording"
)

// Recording is a file that was read.
type Recording struct {
	Header
	steps []step
	whole bool // it has its end; one of a process that was killed has none
}

// step is one input, and what was decided then.
type step struct {
	in        healer.Input
	at        time.Time
	decisions []decision
	line      int
}

// Read reads a recording. One that was cut off, as where its process was
// killed, is read as far as it goes; what is wrong anywhere else is an error
// that names the line.
func Read(from io.Reader) (*Recording, error) {
	var form headerForm
	r, err := recording.NewReader(from, kind, &form)
	if err != nil {
		return nil, err
	}
	header, err := form.header()
	if err != nil {
		return nil, r.Wrong(err)
	}
	out := &Recording{Header: header}
	for {
		raw, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			out.whole = true
			return out, nil
		case errors.Is(err, recording.ErrCutOff):
			out.steps = out.steps[:max(0, len(out.steps)-1)] // what it decided may not have been written yet
			return out, nil
		case err != nil:
			return nil, err
		}
		if err := out.add(raw, r.Line()); err != nil {
			return nil, r.Wrong(err)
		}
	}
}

func (r *Recording) add(raw json.RawMessage, number int) error {
	var is struct{ Input, Decision string }
	if err := json.Unmarshal(raw, &is); err != nil {
		return err
	}
	switch {
	case is.Input != "":
		return r.addInput(raw, number)
	case is.Decision == "":
		return errors.New("is neither an input nor a decision")
	case len(r.steps) == 0:
		return errors.New("is a decision before any input")
	}
	var d decision
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	s := &r.steps[len(r.steps)-1]
	s.decisions = append(s.decisions, d)
	return nil
}

func (r *Recording) addInput(raw json.RawMessage, number int) error {
	var l inputLine
	if err := json.Unmarshal(raw, &l); err != nil {
		return err
	}
	at := r.Start.Add(time.Duration(l.At))
	if l.Input == inTicks {
		r.steps = append(r.steps, step{in: healer.Tick{}, at: at, line: number})
		for _, passed := range l.Ticks {
			at = at.Add(time.Duration(passed))
			r.steps = append(r.steps, step{in: healer.Tick{}, at: at, line: number})
		}
		return nil
	}
	in, err := decodeInput(l)
	if err != nil {
		return fmt.Errorf("%s: %w", l.Input, err)
	}
	r.steps = append(r.steps, step{in: in, at: at, line: number})
	return nil
}
