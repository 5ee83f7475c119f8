package event

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"logstream/internal/raced"
)

func TestBoundedLeavesWhatFits(t *testing.T) {
	for _, data := range incidentData() {
		in := incidentOf(data)
		if got := in.Bounded(); !reflect.DeepEqual(got, in) {
			t.Errorf("%s: %+v became %+v", in.Type, in, got)
		}
	}
	room := MaxIncident - len(Encode(incidentOf(Reported{})))
	exact := incidentOf(Reported{strings.Repeat("x", room)})
	if got := exact.Bounded(); len(Encode(got)) != MaxIncident || got.Data.(Reported).Text != exact.Data.(Reported).Text {
		t.Errorf("an event of exactly %d bytes was cut", MaxIncident)
	}
	over := incidentOf(Reported{strings.Repeat("x", room+1)})
	if got := over.Bounded(); len(Encode(got)) > MaxIncident || !strings.HasSuffix(got.Data.(Reported).Text, "bytes in all)") {
		t.Error("an event of one byte too many was not cut, or does not say so")
	}
}

func TestBoundedCutsAndSaysSo(t *testing.T) {
	long := strings.Repeat("ü<\x01", 200_000) // a control character weighs six times as much as JSON
	mark := "(800000 bytes in all)"
	tests := map[string]struct {
		data Data
		says func(Data) bool
	}{
		"opened": {Opened{Error: long, Check: "http", Kind: "service"}, func(d Data) bool { return strings.HasSuffix(d.(Opened).Error, mark) && d.(Opened).Check == "http" }},
		"evidence's logs": {Evidence{Logs: []string{long, "last"}}, func(d Data) bool {
			e := d.(Evidence)
			return e.Truncated && strings.HasSuffix(e.Logs[0], mark) && e.Logs[1] == "last"
		}},
		"evidence's facts": {Evidence{Facts: []Fact{{"log", long, true, long}}}, func(d Data) bool {
			e := d.(Evidence)
			return e.Truncated && e.Facts[0].Key == "log" && e.Facts[0].Decisive && strings.HasSuffix(e.Facts[0].Value, mark)
		}},
		"too many facts": {Evidence{Facts: make([]Fact, 20_000)}, func(d Data) bool {
			e := d.(Evidence)
			return e.Truncated && len(e.Facts) == 101 && e.Facts[100].Value == "19900 more facts"
		}},
		"too many lines": {Evidence{Logs: strings.Split(strings.Repeat("line,", 60_000)+"last", ",")}, func(d Data) bool { e := d.(Evidence); return e.Truncated && len(e.Logs) == 12 && e.Logs[11] == "last" }},
		"new lines among too many": {Evidence{Logs: strings.Split(strings.Repeat("line,", 60_000)+"last", ","), FirstSeen: []FirstSeen{{3, 1}, {59_990, 2}, {60_000, 3}}},
			func(d Data) bool { return slices.Equal(d.(Evidence).FirstSeen, []FirstSeen{{1, 2}, {11, 3}}) }},
		"diagnosed": {Diagnosed{Cause: "c", Action: "start", Reasoning: long, Prompt: long, Raw: long, Invalid: long, Legal: []Choice{{"A", "start", long}}, NotOffered: []Refusal{{"restart", long}}, Model: &Opinion{long, "start", 0.5, long}, Runbook: &Opinion{"c", "start", 0.9, "w"}}, func(d Data) bool {
			x := d.(Diagnosed)
			return x.Cause == "c" && x.Action == "start" && x.Legal[0].Letter == "A" && x.Legal[0].Action == "start" && x.NotOffered[0].Action == "restart" && x.Model.Action == "start" && x.Runbook.Cause == "c" && strings.HasSuffix(x.Raw, mark)
		}},
		"too many refusals": {Diagnosed{Legal: make([]Choice, 9000), NotOffered: make([]Refusal, 9000)}, func(d Data) bool { return len(d.(Diagnosed).Legal) == 100 && len(d.(Diagnosed).NotOffered) == 100 }},
		"approval_requested": {ApprovalRequested{Action: "restart", Target: "t", Command: long, Undo: long, Cost: long, Reason: long, Expires: later}, func(d Data) bool {
			return strings.HasSuffix(d.(ApprovalRequested).Reason, mark) && d.(ApprovalRequested).Expires == later
		}},
		"approved":     {Approved{long}, func(d Data) bool { return strings.HasSuffix(d.(Approved).Reason, mark) }},
		"noted":        {Noted{"in-1", long}, func(d Data) bool { return strings.HasSuffix(d.(Noted).Text, mark) }},
		"acknowledged": {Acknowledged{long}, func(d Data) bool { return strings.HasSuffix(d.(Acknowledged).Reason, mark) }},
		"denied":       {Denied{long}, func(d Data) bool { return strings.HasSuffix(d.(Denied).Reason, mark) }},
		"action_started": {ActionStarted{Attempt: 2, Action: "start", Command: long, Pins: Pins{ContainerID: "c"}}, func(d Data) bool {
			return strings.HasSuffix(d.(ActionStarted).Command, mark) && d.(ActionStarted).Pins.ContainerID == "c"
		}},
		"action_finished": {ActionFinished{Attempt: 2, Error: NotCarriedOut + long}, func(d Data) bool {
			return strings.HasPrefix(d.(ActionFinished).Error, NotCarriedOut) && d.(ActionFinished).Attempt == 2
		}},
		"verified":  {Verified{Error: Interrupted + long}, func(d Data) bool { return strings.HasPrefix(d.(Verified).Error, Interrupted) }},
		"escalated": {Escalated{Reason: long}, func(d Data) bool { return strings.HasSuffix(d.(Escalated).Reason, mark) }},
		"suppressed": {Suppressed{Gate: "cooldown", Reason: long, Until: &later}, func(d Data) bool {
			return strings.HasSuffix(d.(Suppressed).Reason, mark) && d.(Suppressed).Gate == "cooldown"
		}},
		"reported":        {Reported{long}, func(d Data) bool { return strings.HasSuffix(d.(Reported).Text, mark) }},
		"an unknown type": {Other{"weighed", Encode(Reported{long})}, func(d Data) bool { return string(d.(Other).Raw) == `{"truncated":true}` && d.(Other).Type == "weighed" }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := incidentOf(test.data)
			before := string(Encode(in))
			got := in.Bounded()
			value := Encode(got)
			if len(value) > MaxIncident {
				t.Fatalf("it weighs %d bytes, more than %d", len(value), MaxIncident)
			}
			if !test.says(got.Data) {
				t.Errorf("cut to %.300s", value)
			}
			if got.ID != in.ID || got.Seq != in.Seq || !got.Time.Equal(in.Time) || got.Type != in.Type || got.Origin != in.Origin {
				t.Error("what is not its data was changed")
			}
			if again := got.Bounded(); !reflect.DeepEqual(again, got) {
				t.Error("it was cut a second time")
			}
			if string(Encode(in.Bounded())) != string(value) {
				t.Error("the same event was cut another way")
			}
			if string(Encode(in)) != before {
				t.Error("the event that was given was changed")
			}
			if _, err := DecodeIncident(value); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBoundedAlwaysFits tries evidence and diagnoses of any shape.
func TestBoundedAlwaysFits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		return strings.Repeat([]string{"a", "\x01", "ü", "\xff", "\u2028", "\""}[random.IntN(6)], random.IntN(1<<random.IntN(15)))
	}
	for range raced.Share(30) {
		var e Evidence
		for range random.IntN(300) {
			e.Facts = append(e.Facts, Fact{Key: text(), Value: text(), Why: text()})
		}
		for range random.IntN(30) {
			e.Logs = append(e.Logs, text())
		}
		if n := len(Encode(incidentOf(e).Bounded())); n > MaxIncident {
			t.Fatalf("evidence of %d facts and %d lines weighs %d bytes", len(e.Facts), len(e.Logs), n)
		}
		d := Diagnosed{Cause: text(), Command: text(), Reasoning: text(), Prompt: text(), Raw: text(), Invalid: text(), Runbook: &Opinion{Cause: text(), Why: text()}}
		for range random.IntN(300) {
			d.Legal = append(d.Legal, Choice{"A", "start", text()})
			d.NotOffered = append(d.NotOffered, Refusal{"start", text()})
		}
		if n := len(Encode(incidentOf(d).Bounded())); n > MaxIncident {
			t.Fatalf("a diagnosis of %d choices weighs %d bytes", len(d.Legal), n)
		}
	}
}

func TestClip(t *testing.T) {
	if got := Clip("short", 5); got != "short" {
		t.Errorf("got %q", got)
	}
	holds := func(text string, extra uint8) bool {
		most := 64 + int(extra)
		text = strings.Repeat(text, 8)
		got := Clip(text, most)
		fits := len(got) <= most && Clip(got, most) == got
		return fits && (got == text) == (len(text) <= most) && utf8.ValidString(got) == utf8.ValidString(text)
	}
	if err := quick.Check(holds, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}
