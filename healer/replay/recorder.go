// Package replay records what the healer's step was given, with its times, and
// what it decided; and gives a step of today the same again. A recording that
// replays to the same decisions says that a change of the core changed nothing
// that counted in that scenario; a difference says what it changed.
//
//	recorder.go  writes a recording while a healer runs
//	file.go      reads one
//	codec.go     inputs, under names of their own, and back
//	forms.go     containers, errors and configuration in them
//	decision.go  effects as codes, and when two are the same
//	script.go    a recording taken apart: what came from outside, what answered which effect
//	play.go      feeds a world of today
//	model.go     feeds it with a model beside the runbook
//	replay.go    compares, or writes the recording again
//	difference.go how two lists of decisions differ
package replay

import (
	"encoding/json"
	"io"
	"time"

	"logstream/healer"
	"logstream/internal/recording"
	"logstream/internal/service"
)

var kind = recording.Kind{Format: "logstream recording of decisions", Version: 1}

// Header is what a world is made of, and where the recording comes from.
type Header struct {
	Scenario  string // its name
	Engine    string // the container engine and its version
	Instance  string
	Host      string
	Config    healer.Config
	Services  []service.Definition
	Protected []string
	Start     time.Time
}

type headerForm struct {
	Scenario  string          `json:"story"`
	Engine    string          `json:"engine"`
	Instance  string          `json:"instance"`
	Host      string          `json:"host"`
	Healer    json.RawMessage `json:"healer"`
	Services  json.RawMessage `json:"services"`
	Protected []string        `json:"protected,omitempty"`
	Start     time.Time       `json:"start"`
}

func (h Header) form() (headerForm, error) {
	config, err := encodeConfig(h.Config)
	if err != nil {
		return headerForm{}, err
	}
	services, err := encodeConfig(h.Services)
	return headerForm{h.Scenario, h.Engine, h.Instance, h.Host, config, services, h.Protected, h.Start}, err
}

func (f headerForm) header() (Header, error) {
	config, err := decodeHealerConfig(f.Healer)
	if err != nil {
		return Header{}, err
	}
	services, err := decodeServices(f.Services)
	return Header{f.Scenario, f.Engine, f.Instance, f.Host, config, services, f.Protected, f.Start}, err
}

// Recorder writes a recording.
type Recorder struct {
	to    *recording.Writer
	start time.Time
	ticks *inputLine // of which none decided anything so far
	last  int64      // of them
}

// mostTicks is how many ticks without a decision wait before they are written: a minute of
// them.
const mostTicks = 600

// NewRecorder begins a recording.
func NewRecorder(to io.Writer, h Header) (*Recorder, error) {
	h.Start = h.Start.Round(0).UTC()
	form, err := h.form()
	if err != nil {
		return nil, err
	}
	w, err := recording.NewWriter(to, kind, form)
	return &Recorder{to: w, start: h.Start}, err
}

// Observe writes one input, its time, and what was decided.
func (r *Recorder) Observe(in healer.Input, at time.Time, out []healer.Effect) error {
	out = decisions(out)
	if _, is := in.(healer.Tick); is {
		r.tick(int64(at.Round(0).Sub(r.start)))
		if len(out) == 0 && len(r.ticks.Ticks) < mostTicks {
			return nil
		}
	}
	if err := r.flush(); err != nil {
		return err
	}
	if _, is := in.(healer.Tick); !is {
		line, err := encodeInput(in)
		if err != nil {
			return err
		}
		line.At = int64(at.Round(0).Sub(r.start))
		if err := r.to.Write(line); err != nil {
			return err
		}
	}
	for _, e := range out {
		d, err := decisionOf(e)
		if err != nil {
			return err
		}
		if err := r.to.Write(d); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recorder) tick(at int64) {
	if r.ticks == nil {
		r.ticks = &inputLine{At: at, Input: inTicks}
	} else {
		r.ticks.Ticks = append(r.ticks.Ticks, at-r.last)
	}
	r.last = at
}

func (r *Recorder) flush() error {
	if r.ticks == nil {
		return nil
	}
	line := *r.ticks
	r.ticks = nil
	return r.to.Write(line)
}

// Close ends the recording. Without it, what was written can be read all the
// same.
func (r *Recorder) Close() error {
	if err := r.flush(); err != nil {
		return err
	}
	return r.to.Close()
}
