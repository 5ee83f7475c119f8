package view

import (
	"reflect"
	"testing"

	"logstream/internal/event"
)

// several are incidents of some services: each is repaired, escalated or open.
func several() (*Fleet, *writer) {
	f := newFleet()
	w := newWriter(f)
	one := func(id, svc, cause string, ends event.Data) {
		w.write(id, svc, event.Opened{Error: "connection refused by " + svc})
		w.write(id, svc, event.Diagnosed{CauseID: cause, Cause: "Its cause is " + cause + ".", Action: "start"})
		if ends != nil {
			w.write(id, svc, ends)
		}
	}
	healed, person := event.Resolved{How: event.HowHealed, DownMS: 1500}, event.Escalated{Reason: "three attempts failed"}
	one("a1", "pay", "killed", healed)
	one("a2", "stock", "killed", healed)
	one("a3", "pay", "oom", healed)
	one("a4", "pay", "killed", person)
	one("a5", "Orders", "http_5xx", nil)
	one("a6", "pay", "killed", nil)
	return f, w
}

func ids(list []Incident) []string {
	all := []string{}
	for _, in := range list {
		all = append(all, in.ID)
	}
	return all
}

func TestListHasOnlyTheWantedIncidents(t *testing.T) {
	f, w := several()
	for name, tt := range map[string]struct {
		wanted Wanted
		want   []string
	}{
		"all":                        {Wanted{}, []string{"a6", "a5", "a4", "a3", "a2", "a1"}},
		"of a service":               {Wanted{Service: "pay"}, []string{"a6", "a4", "a3", "a1"}},
		"in a state":                 {Wanted{State: "escalated"}, []string{"a4"}},
		"of a cause":                 {Wanted{Cause: "killed"}, []string{"a6", "a4", "a2", "a1"}},
		"decided by the runbook":     {Wanted{DecidedBy: "runbook"}, []string{"a6", "a5", "a4", "a3", "a2", "a1"}},
		"decided by a model":         {Wanted{DecidedBy: "llm"}, []string{}},
		"a text in any case":         {Wanted{Text: "REFUSED BY ORDERS"}, []string{"a5"}},
		"a text that stands nowhere": {Wanted{Text: "nowhere"}, []string{}},
		"an id":                      {Wanted{Text: "a3"}, []string{"a3"}},
		"several at once":            {Wanted{Service: "pay", Cause: "killed", State: "resolved"}, []string{"a1"}},
		"before another":             {Wanted{Before: "a4"}, []string{"a3", "a2", "a1"}},
		"before one of another kind": {Wanted{Cause: "killed", Before: "a3"}, []string{"a2", "a1"}},
		"before the first":           {Wanted{Before: "a1"}, []string{}},
	} {
		if got, known := f.List(tt.wanted, 100, w.at); !known || !reflect.DeepEqual(ids(got), tt.want) {
			t.Errorf("%s: %v, %v, want %v", name, ids(got), known, tt.want)
		}
	}
	if _, known := f.List(Wanted{Before: "none"}, 1, w.at); known {
		t.Error("a page before an unknown incident")
	}
}

func TestPagesOfAListHaveEachIncidentOnce(t *testing.T) {
	f, w := several()
	var got []string
	for before := ""; ; {
		page, known := f.List(Wanted{Before: before}, 4, w.at)
		if !known {
			t.Fatal("the last of a page is unknown")
		}
		got = append(got, ids(page)...)
		if len(page) < 4 {
			break
		}
		before = got[len(got)-1]
	}
	if want := []string{"a6", "a5", "a4", "a3", "a2", "a1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSimilarIncidentsAreEarlierOnesOfTheSameCause(t *testing.T) {
	f, w := several()
	similar := func(id string) []string {
		in, _ := f.Incident(id, w.at)
		all := []string{}
		for _, s := range in.Similar {
			all = append(all, s.ID)
		}
		return all
	}
	for id, want := range map[string][]string{
		"a6": {"a4", "a1", "a2"}, // those of its service first
		"a2": {"a1"},
		"a1": {}, // what came later is none
		"a3": {}, // another cause
	} {
		if got := similar(id); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
	in, _ := f.Incident("a6", w.at)
	if s := in.Similar[1]; s.State != "resolved" || s.How != event.HowHealed || s.Action != "start" || s.Service != "pay" || *s.DownMS != 1500 || s.DecidedBy != "runbook" {
		t.Errorf("similar = %+v", s)
	}
	if s := in.Similar[0]; s.State != "escalated" || s.DownMS != nil {
		t.Errorf("similar = %+v", s)
	}
	w.write("b0", "pay", event.Opened{})
	if got := similar("b0"); len(got) != 0 {
		t.Errorf("without a cause: %v", got)
	}
	for i := range 2 * maxSimilar {
		w.write(string(rune('c'+i)), "stock", event.Opened{})
		w.write(string(rune('c'+i)), "stock", event.Diagnosed{CauseID: "killed"})
	}
	w.write("z1", "pay", event.Opened{})
	w.write("z1", "pay", event.Diagnosed{CauseID: "killed"})
	if got := similar("z1"); len(got) != maxSimilar || got[0] != "a6" || got[2] != "a1" {
		t.Errorf("%v: those of its own service are first, and %d are all", got, maxSimilar)
	}
}

func TestCommandIsPushedAgainWithItsResult(t *testing.T) {
	f := newFleet()
	c := event.Command{ID: "c1", Time: noon, By: "operator:ada", Service: "pay", Command: event.CommandInject, Args: event.CommandArgs{Fault: "stop"}}
	sent := func(c event.Command) []Change { changes, _ := f.ApplyCommand(c, noon); return changes }
	if got := sent(c); len(got) != 1 || got[0].Kind != KindCommand || got[0].Data.(event.Command).Args.Fault != "stop" {
		t.Errorf("changes = %+v", got)
	}
	if got := sent(c); len(got) != 0 {
		t.Errorf("again: %+v", got)
	}
	c.Result, c.By, c.Args = &event.CommandResult{OK: true}, "", event.CommandArgs{}
	got := sent(c)
	if len(got) != 1 || !got[0].Data.(event.Command).Result.OK || got[0].Data.(event.Command).By != "operator:ada" {
		t.Errorf("with its result: %+v", got)
	}
}
