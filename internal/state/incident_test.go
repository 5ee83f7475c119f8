package state

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

var dawn = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// written is an event on the log of host h; at is in seconds.
func written(nonce, id string, seq, at int, data event.Data) event.Incident {
	return event.Incident{ID: id, Seq: seq, Time: dawn.Add(time.Duration(at) * time.Second), Service: "pay", Type: event.TypeOf(data), By: event.ByRunbook,
		Data: data, Origin: event.Origin{Instance: "i-" + nonce, Host: "h", Nonce: nonce}}
}

func claimed(nonce string, epoch int64) event.Incident {
	return written(nonce, nonce, 1, 0, event.Claim{Host: "h", Instance: "i-" + nonce, Epoch: epoch, Nonce: nonce})
}

func fold(log ...event.Incident) *Incidents {
	f := NewIncidents()
	for _, e := range log {
		f.Apply(e)
	}
	return f
}

// seqs are the events that counted, as id/seq, in the order of the incidents.
func seqs(f *Incidents) []string {
	list := []string{}
	for _, in := range f.All() {
		for _, e := range in.Events {
			list = append(list, fmt.Sprintf("%s/%d", e.ID, e.Seq))
		}
	}
	return list
}

// TestWhichEventsCount: the nonce, the seq, and the beginning of the log.
func TestWhichEventsCount(t *testing.T) {
	opened, evidence := event.Opened{Kind: "service"}, event.Evidence{}
	tests := map[string]struct {
		log  []event.Incident
		want []string
	}{
		"an owner's events":          {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "x", 2, 1, evidence)}, []string{"x/1", "x/2"}},
		"another nonce":              {[]event.Incident{claimed("n1", 1), written("n0", "x", 1, 0, opened), written("", "y", 1, 0, opened)}, []string{}},
		"after the successor":        {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), claimed("n2", 2), written("n1", "x", 2, 1, evidence)}, []string{"x/1"}},
		"the ignored takes no seq":   {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), claimed("n2", 2), written("n1", "x", 2, 1, evidence), written("n2", "x", 2, 2, evidence)}, []string{"x/1", "x/2"}},
		"the successor goes on":      {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), claimed("n2", 2), written("n2", "x", 2, 1, evidence)}, []string{"x/1", "x/2"}},
		"a claim that loses":         {[]event.Incident{claimed("n1", 1), claimed("n2", 1), written("n2", "x", 1, 0, opened), written("n1", "y", 1, 0, opened)}, []string{"y/1"}},
		"an old claim replayed":      {[]event.Incident{claimed("n1", 1), claimed("n2", 2), claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n2", "y", 1, 0, opened)}, []string{"y/1"}},
		"a repeat changes nothing":   {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), claimed("n1", 1), written("n1", "x", 2, 0, evidence)}, []string{"x/1", "x/2"}},
		"the same twice":             {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "x", 1, 0, opened), written("n1", "x", 2, 0, evidence), written("n1", "x", 1, 0, opened), written("n1", "x", 2, 0, evidence)}, []string{"x/1", "x/2"}},
		"a gap":                      {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "x", 3, 0, evidence), written("n1", "x", 2, 0, evidence)}, []string{"x/1", "x/2"}},
		"two incidents":              {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "y", 1, 0, opened), written("n1", "x", 2, 0, evidence)}, []string{"x/1", "x/2", "y/1"}},
		"after it was resolved":      {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "x", 2, 0, event.Resolved{}), written("n1", "x", 3, 0, evidence), written("n1", "x", 3, 0, event.Escalated{}), written("n1", "x", 3, 0, event.Resolved{})}, []string{"x/1", "x/2"}},
		"a report after that":        {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "x", 2, 0, event.Resolved{}), written("n1", "x", 3, 0, event.Reported{Text: "x"})}, []string{"x/1", "x/2", "x/3"}},
		"a note is of none":          {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "note", 1, 0, event.Noted{Incident: "x"}), written("n1", "x", 2, 0, event.Noted{Incident: "x"}), written("n1", "x", 2, 0, evidence)}, []string{"x/1", "x/2"}},
		"an unknown type has a seq":  {[]event.Incident{claimed("n1", 1), written("n1", "x", 1, 0, opened), written("n1", "x", 2, 0, event.Other{Type: "weighed"}), written("n1", "x", 3, 0, evidence)}, []string{"x/1", "x/2", "x/3"}},
		"begins with a repeat":       {[]event.Incident{written("n1", "x", 4, 0, evidence), written("n1", "x", 5, 0, evidence), claimed("n1", 3), written("n1", "x", 6, 0, event.Resolved{})}, []string{"x/4", "x/5", "x/6"}},
		"begins with another owner":  {[]event.Incident{written("n1", "x", 4, 0, evidence), claimed("n2", 3), written("n2", "y", 1, 0, opened)}, []string{"y/1"}},
		"begins with two":            {[]event.Incident{written("n1", "x", 4, 0, evidence), written("n2", "y", 2, 0, evidence), claimed("n2", 3)}, []string{"y/2"}},
		"only the first repeat":      {[]event.Incident{written("n1", "x", 4, 0, evidence), claimed("n2", 3), claimed("n1", 4)}, []string{}},
		"no claim":                   {[]event.Incident{written("n1", "x", 1, 0, opened)}, []string{}},
		"an ignored claim, no nonce": {[]event.Incident{written("", "x", 1, 0, opened), claimed("", 3)}, []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := seqs(fold(test.log...)); !slices.Equal(got, test.want) {
				t.Errorf("what counts is %v, want %v", got, test.want)
			}
		})
	}
}

func TestApplySaysWhatChanged(t *testing.T) {
	f := NewIncidents()
	steps := []struct {
		e       event.Incident
		id      string
		counted bool
	}{
		{written("n1", "early", 3, 0, event.Evidence{}), "", false},
		{claimed("n1", 2), "", true},
		{claimed("n1", 2), "", true},
		{claimed("n0", 1), "", false},
		{written("n1", "x", 1, 0, event.Opened{}), "x", true},
		{written("n1", "x", 1, 0, event.Opened{}), "", false},
		{written("n0", "x", 2, 0, event.Evidence{}), "", false},
		{written("n1", "x", 2, 0, event.Evidence{}), "x", true},
	}
	for i, step := range steps {
		in, counted := f.Apply(step.e)
		if counted != step.counted || (in == nil) != (step.id == "") || in != nil && in.ID != step.id {
			t.Errorf("event %d: got %+v, %v, want %q, %v", i+1, in, counted, step.id, step.counted)
		}
	}
	if f.Get("early") == nil || f.Get("early").Seq() != 3 {
		t.Error("what stood before the first repeat of its claim is not there")
	}
}

// TestIncidentStateAfterEachEvent is the state of an incident after each event of its life.
func TestIncidentStateAfterEachEvent(t *testing.T) {
	until := dawn.Add(time.Hour)
	type step struct {
		data  event.Data
		state string
		held  string
	}
	opened := step{event.Opened{Kind: "service"}, Open, ""}
	held := func(gate string) step {
		return step{event.Suppressed{Gate: gate, Reason: "r", Until: &until}, Open, gate}
	}
	tests := map[string][]step{
		"healed": {opened, {event.Evidence{}, Open, ""}, {event.Diagnosed{}, Open, ""}, {event.ActionStarted{Attempt: 1}, Open, ""},
			{event.ActionFinished{OK: true}, Open, ""}, {event.Verified{OK: true}, Open, ""}, {event.Resolved{How: event.HowHealed}, Resolved, ""}, {event.Reported{}, Resolved, ""}},
		"held, then acted upon": {opened, held("cooldown"), {event.Evidence{}, Open, "cooldown"}, {event.Diagnosed{}, Open, "cooldown"}, {event.ActionStarted{Attempt: 1}, Open, ""}},
		"held by another gate":  {opened, held("cooldown"), held("budget"), held("none")},
		"held, then recovered":  {opened, held("deploy"), {event.Resolved{How: event.HowRecovered}, Resolved, ""}},
		"held, then escalated":  {opened, held("log"), {event.Escalated{}, Escalated, ""}},
		"held after the action": {opened, {event.ActionStarted{Attempt: 1}, Open, ""}, held("rival"), {event.ActionFinished{}, Open, ""}},
		"held, then verified":   {opened, held("log"), {event.Verified{}, Open, ""}},
		"approved":              {opened, {event.Diagnosed{}, Open, ""}, {event.ApprovalRequested{Expires: until}, Open, "approval"}, {event.Approved{}, Open, ""}},
		"denied":                {opened, {event.ApprovalRequested{Expires: until}, Open, "approval"}, {event.Denied{}, Open, ""}, {event.Escalated{}, Escalated, ""}},
		"reopened by evidence":  {opened, {event.Escalated{}, Escalated, ""}, {event.Evidence{}, Open, ""}},
		"reopened by a cause":   {opened, {event.Escalated{}, Escalated, ""}, {event.Diagnosed{}, Open, ""}},
		"reopened by an action": {opened, {event.Escalated{}, Escalated, ""}, {event.ActionStarted{Attempt: 1}, Open, ""}},
		"reopened by a gate":    {opened, {event.Escalated{}, Escalated, ""}, held("manual_stop")},
		"escalated, and on":     {opened, {event.Escalated{}, Escalated, ""}, {event.Reported{}, Escalated, ""}, {event.Other{Type: "weighed"}, Escalated, ""}, {event.Resolved{How: event.HowRecovered}, Resolved, ""}},
		"an unknown type":       {opened, held("cooldown"), {event.Other{Type: "weighed"}, Open, "cooldown"}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			f := fold(claimed("n1", 1))
			for i, step := range steps {
				in, counted := f.Apply(written("n1", "x", i+1, i, step.data))
				if !counted {
					t.Fatalf("event %d, %T, does not count", i+1, step.data)
				}
				if in.State != step.state || in.Held != step.held {
					t.Errorf("after event %d, %T, it is %s and held by %q, want %s and %q", i+1, step.data, in.State, in.Held, step.state, step.held)
				}
				if in.Held == "" && (in.HeldReason != "" || in.HeldUntil != nil) || in.Held != "" && in.HeldUntil == nil {
					t.Errorf("after event %d, %T, it is held by %q until %v because of %q", i+1, step.data, in.Held, in.HeldUntil, in.HeldReason)
				}
				if in.Seq() != i+1 || (in.Resolved != nil) != (in.State == Resolved) {
					t.Errorf("after event %d its seq is %d, and it was resolved at %v", i+1, in.Seq(), in.Resolved)
				}
			}
		})
	}
}

func TestIncidentFields(t *testing.T) {
	diagnosed := written("n1", "x", 3, 12, event.Diagnosed{CauseID: "i", Cause: "c", CausePast: "p", Action: "restart", Target: "pay"})
	diagnosed.By = "llm:tiny"
	f := fold(claimed("n1", 1),
		written("n1", "x", 1, 10, event.Opened{Error: "HTTP 500", Kind: "service", FirstBad: dawn.Add(4 * time.Second)}),
		written("n1", "x", 2, 11, event.Evidence{}), diagnosed,
		written("n1", "x", 4, 13, event.ActionStarted{Attempt: 2, Action: "start", Target: "pay"}),
		written("n1", "x", 5, 20, event.Resolved{How: event.HowHealed, Attempts: 2, TTDMS: 1, TTRMS: 2, DownMS: 3}))
	in := f.Get("x")
	events := in.Events
	in.Events = nil
	end := dawn.Add(20 * time.Second)
	want := &Incident{ID: "x", Service: "pay", Host: "h", Kind: "service", State: Resolved, Opened: dawn.Add(10 * time.Second), Resolved: &end,
		FirstBad: dawn.Add(4 * time.Second), Error: "HTTP 500", CauseID: "i", Cause: "c", CausePast: "p", Action: "start", Target: "pay", DecidedBy: "llm:tiny", Attempts: 2, Counted: 1,
		How: event.HowHealed, TTDMS: 1, TTRMS: 2, DownMS: 3}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, want %+v", in, want)
	}
	in.Events = events
	if last, is := in.Last(event.TypeEvidence, event.TypeDiagnosed); !is || last.Seq != 3 {
		t.Errorf("the last of evidence and diagnosis is %+v, want seq 3", last)
	}
	if last, is := in.Last(event.TypeDenied); is {
		t.Errorf("there is a denial: %+v", last)
	}
}

func TestOfAndForget(t *testing.T) {
	log := []event.Incident{claimed("n1", 1)}
	for i := range 6 { // b and e stay open
		id := string(rune('a' + i))
		log = append(log, written("n1", id, 1, i, event.Opened{}))
		if i != 1 && i != 4 {
			log = append(log, written("n1", id, 2, i, event.Resolved{}))
		}
	}
	other := written("n1", "o", 1, 9, event.Opened{})
	other.Service = "web"
	f := fold(append(log, other)...)
	ids := func(list []*Incident) (all string) {
		for _, in := range list {
			all += in.ID
		}
		return all
	}
	if ids(f.All()) != "abcdefo" || ids(f.Of("pay", "h")) != "abcdef" || ids(f.Of("web", "h")) != "o" || f.Of("pay", "g") != nil {
		t.Fatalf("there are %s, of pay %s, of web %s", ids(f.All()), ids(f.Of("pay", "h")), ids(f.Of("web", "h")))
	}
	f.Forget(7)
	if ids(f.All()) != "abcdefo" {
		t.Errorf("as many as may stay: %s are left", ids(f.All()))
	}
	f.Forget(5)
	if ids(f.All()) != "bdefo" || ids(f.Of("pay", "h")) != "bdef" || f.Get("a") != nil || f.Get("d") == nil {
		t.Errorf("with 5 to keep %s are left, of pay %s", ids(f.All()), ids(f.Of("pay", "h")))
	}
	f.Forget(0)
	if ids(f.All()) != "beo" {
		t.Errorf("what is not resolved was forgotten: %s are left", ids(f.All()))
	}
	if _, counted := f.Apply(log[1]); counted || f.Get("a") != nil {
		t.Error("what was forgotten begins anew when its first event is published again")
	}
	f.Apply(written("n1", "b", 2, 20, event.Resolved{}))
	f.Apply(written("n1", "b", 3, 20, event.Reported{}))
	if f.Get("b").Seq() != 3 {
		t.Error("what was not forgotten does not go on")
	}
}

// history is a log that a handful of owners wrote, who follow upon each
// other, and do not always notice it at once.
func history(random *rand.Rand) []event.Incident {
	var log []event.Incident
	next, epoch := map[string]int{}, int64(0)
	nonces := []string{"n0"}
	for i := range 60 {
		switch nonce := nonces[max(0, len(nonces)-1-random.IntN(2))]; random.IntN(8) {
		case 0:
			epoch += int64(random.IntN(2))
			nonce = fmt.Sprintf("n%d", epoch)
			nonces = append(nonces, nonce)
			log = append(log, claimed(nonce, epoch))
		case 1:
			log = append(log, claimed(nonce, epoch))
		default:
			id := fmt.Sprintf("x%d", random.IntN(4))
			next[id]++
			datas := []event.Data{event.Evidence{}, event.Diagnosed{Cause: fmt.Sprint(i)}, event.Suppressed{Gate: fmt.Sprint(i)}, event.ActionStarted{Attempt: i},
				event.ActionFinished{}, event.Escalated{}, event.Resolved{How: event.HowHealed}, event.Reported{}, event.Opened{Error: fmt.Sprint(i)}}
			log = append(log, written(nonce, id, next[id]-random.IntN(2), i, datas[random.IntN(len(datas))]))
		}
	}
	return log
}

func sameFold(a, b *Incidents) bool {
	return reflect.DeepEqual(a.order, b.order) && reflect.DeepEqual(a.hosts, b.hosts)
}

// TestDuplicatesChangeNothing: the log is written at least once, so the same
// record may stand on it again, anywhere later; and a reader may start over.
func TestDuplicatesChangeNothing(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 7))
		log := history(random)
		want := fold(log...)
		var repeated []event.Incident
		for i, e := range log {
			repeated = append(repeated, e)
			for range random.IntN(2) {
				repeated = append(repeated, log[random.IntN(i+1)])
			}
		}
		if got := fold(repeated...); !sameFold(got, want) {
			t.Fatalf("seed %d: with records repeated what counts is %v, without %v", seed, seqs(got), seqs(want))
		}
		if got := fold(slices.Concat(log, log)...); !sameFold(got, want) {
			t.Fatalf("seed %d: read twice what counts is %v, once %v", seed, seqs(got), seqs(want))
		}
	}
}

// TestSeqHasNoGap, in whatever order records come.
func TestSeqHasNoGap(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 9))
		log := history(random)
		random.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
		for _, in := range fold(log...).All() {
			for i, e := range in.Events {
				if e.Seq != in.Events[0].Seq+i || e.ID != in.ID {
					t.Fatalf("seed %d: incident %s has the events %v", seed, in.ID, in.Events)
				}
			}
		}
	}
}

// TestAnIncidentWithItsNextEvent is what the fold makes of it, and the incident without
// it stays as it is, whichever events are tried.
func TestAnIncidentWithItsNextEvent(t *testing.T) {
	log := []event.Incident{claimed("n1", 1),
		written("n1", "x", 1, 10, event.Opened{Error: "HTTP 500", Kind: "service", FirstBad: dawn.Add(4 * time.Second)}),
		written("n1", "x", 2, 11, event.Evidence{}),
		written("n1", "x", 3, 12, event.Diagnosed{CauseID: "killed", Action: "start", Target: "pay"}),
		written("n1", "x", 4, 13, event.ActionStarted{Attempt: 1, Action: "start", Target: "pay"})}
	var then *Incident
	for i, e := range log[1:] {
		before := then
		then = before.With(e)
		_ = before.With(written("n1", "x", i+1, 30, event.Escalated{}))
		if want := fold(log[:i+2]...).Get("x"); !reflect.DeepEqual(then, want) {
			t.Errorf("with %s it is\n%+v\nthe fold has\n%+v", e.Type, then, want)
		}
		if before != nil && !reflect.DeepEqual(before, fold(log[:i+1]...).Get("x")) {
			t.Errorf("with %s the one before is %+v", e.Type, before)
		}
	}
}
