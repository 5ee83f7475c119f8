package healer

import (
	"fmt"
	"time"

	"logstream/healer/gate"
	"logstream/internal/event"
	"logstream/internal/text"
)

// Silence: an operator's wish that a service is left alone for a while. It is
// observed meanwhile, and its incidents go on. A silence stands in the service's
// record, which the topic keeps, and in the results of the commands since.

const maxSilence = 30 * 24 * time.Hour

// silence is the command. Its error is for people.
func silence(c *Controller, asked event.Command, now time.Time) error {
	s := c.services[asked.Service]
	d, err := time.ParseDuration(asked.Args.For)
	switch {
	case s == nil || s.removed:
		return fmt.Errorf("silence %s: this host has no service with that name", asked.Service)
	case err != nil || d <= 0 || d > maxSilence:
		return fmt.Errorf("silence %s: %q is not a duration up to 720h, such as 10m", s.def.Name, asked.Args.For)
	}
	s.silence = silenceOf(asked)
	c.reconcile(s, now)
	return nil
}

func unsilence(c *Controller, asked event.Command, now time.Time) error {
	s := c.services[asked.Service]
	switch {
	case s == nil || s.removed:
		return fmt.Errorf("unsilence %s: this host has no service with that name", asked.Service)
	case s.silence == nil:
		return fmt.Errorf("unsilence %s: it is not silenced", s.def.Name)
	}
	s.silence = nil
	c.reconcile(s, now)
	return nil
}

// recallSilence takes up a silence, or its end, that was executed.
func recallSilence(c *Controller, read event.Command, _ time.Time) {
	s := c.services[read.Service]
	if s == nil || read.Result == nil || !read.Result.OK || read.Host != c.host {
		return
	}
	s.silence = nil
	if read.Command == event.CommandSilence {
		s.silence = silenceOf(read)
	}
}

func silenceOf(c event.Command) *gate.Silence {
	d, _ := time.ParseDuration(c.Args.For) // checked before it was executed
	return &gate.Silence{By: operator(c), Reason: text.Clip(c.Args.Reason, maxReason), Until: c.Time.Add(min(d, maxSilence))}
}

// publishedSilence is what was last published of a silence; nil where there is none.
func publishedSilence(published *event.Service) *gate.Silence {
	if published == nil || published.SilencedUntil == nil {
		return nil
	}
	return &gate.Silence{By: published.SilencedBy, Reason: published.SilenceReason, Until: *published.SilencedUntil}
}

// recordSilence is a silence as the service's record has it.
func recordSilence(of *gate.Silence, out *event.Service) {
	if of != nil {
		until := of.Until.UTC()
		out.SilencedUntil, out.SilencedBy, out.SilenceReason = &until, of.By, of.Reason
	}
}
