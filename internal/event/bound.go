package event

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

const (
	boundedLogs  = 12  // lines, as the contract has it
	boundedItems = 100 // facts, choices and refusals, far above what there ever are
)

// Bounded is in, with its texts cut until its record is at most MaxIncident
// bytes. What was cut says so: a text at its end, evidence also by Truncated.
// Names, numbers, instants and pins stay as they are. The same event is always
// cut the same way, so that it can be appended again byte for byte.
func (in Incident) Bounded() Incident {
	bounded := in
	for most := 64 << 10; most >= 64 && len(Encode(bounded)) > MaxIncident; most /= 4 {
		bounded = in.cut(most)
	}
	return bounded
}

// cut shortens every text of in to most bytes, and every list to its bound.
func (in Incident) cut(most int) Incident {
	switch data := in.Data.(type) {
	case Opened:
		data.Error = Clip(data.Error, most)
		in.Data = data
	case Evidence:
		in.Data = data.cut(most)
	case Diagnosed:
		in.Data = data.cut(most)
	case ApprovalRequested:
		data.Command, data.Undo = Clip(data.Command, most), Clip(data.Undo, most)
		data.Cost, data.Reason = Clip(data.Cost, most), Clip(data.Reason, most)
		in.Data = data
	case Approved:
		in.Data = Approved{Clip(data.Reason, most)}
	case Denied:
		in.Data = Denied{Clip(data.Reason, most)}
	case Acknowledged:
		in.Data = Acknowledged{Clip(data.Reason, most)}
	case ActionStarted:
		data.Command, data.UndoCommand = Clip(data.Command, most), Clip(data.UndoCommand, most)
		in.Data = data
	case ActionFinished:
		data.Command, data.Error, data.Output = Clip(data.Command, most), Clip(data.Error, most), Clip(data.Output, most)
		in.Data = data
	case Verified:
		data.Error = Clip(data.Error, most)
		in.Data = data
	case Escalated:
		data.Reason = Clip(data.Reason, most)
		in.Data = data
	case Suppressed:
		data.Reason = Clip(data.Reason, most)
		in.Data = data
	case Reported:
		in.Data = Reported{Clip(data.Text, most)}
	case Noted:
		data.Text = Clip(data.Text, most)
		in.Data = data
	case Other:
		in.Data = Other{data.Type, json.RawMessage(`{"truncated":true}`)}
	}
	return in
}

func (e Evidence) cut(most int) Evidence {
	cut := Evidence{Truncated: true}
	for i, fact := range e.Facts {
		if i == boundedItems {
			cut.Facts = append(cut.Facts, Fact{Key: "cut", Value: fmt.Sprintf("%d more facts", len(e.Facts)-i)})
			break
		}
		fact.Key, fact.Value, fact.Why = Clip(fact.Key, most), Clip(fact.Value, most), Clip(fact.Why, most)
		cut.Facts = append(cut.Facts, fact)
	}
	skipped := max(0, len(e.Logs)-boundedLogs) // the newest lines stand last
	for _, line := range e.Logs[skipped:] {
		cut.Logs = append(cut.Logs, Clip(line, most))
	}
	for _, f := range e.FirstSeen {
		if f.Line -= skipped; 0 <= f.Line && f.Line < len(cut.Logs) && len(cut.FirstSeen) < boundedLogs {
			cut.FirstSeen = append(cut.FirstSeen, f)
		}
	}
	return cut
}

func (d Diagnosed) cut(most int) Diagnosed {
	for _, text := range []*string{&d.Cause, &d.CausePast, &d.Command, &d.Reasoning, &d.Prompt, &d.Raw, &d.Invalid} {
		*text = Clip(*text, most)
	}
	legal, not := d.Legal, d.NotOffered
	d.Legal, d.NotOffered = nil, nil
	for _, choice := range legal[:min(len(legal), boundedItems)] {
		choice.Why = Clip(choice.Why, most)
		d.Legal = append(d.Legal, choice)
	}
	for _, refusal := range not[:min(len(not), boundedItems)] {
		refusal.Why = Clip(refusal.Why, most)
		d.NotOffered = append(d.NotOffered, refusal)
	}
	d.Runbook, d.Model = d.Runbook.cut(most), d.Model.cut(most)
	return d
}

func (o *Opinion) cut(most int) *Opinion {
	if o == nil {
		return nil
	}
	return &Opinion{Clip(o.Cause, most), o.Action, o.Confidence, Clip(o.Why, most)}
}

// Clip is text, or where it is longer than most bytes its beginning and how
// much is missing: together at most most bytes, where that is 64 or more.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	mark := fmt.Sprintf(" … (%d bytes in all)", len(text))
	end := max(0, most-len(mark))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
