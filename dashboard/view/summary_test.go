package view

import (
	"reflect"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

func TestSummaryCountsServicesIncidentsAndRepairs(t *testing.T) {
	f := NewFleet("i-x", "h", []service.Definition{define("a"), define("b"), define("c"), define("d"), define("new")}, Limits{}, noon)
	if got, want := f.Summary(noon), (Summary{Services: Counts{Unknown: 5}, Worst: Worst{"a", event.Pending, &noon}}); !reflect.DeepEqual(got, want) {
		t.Errorf("before anything was read: %+v, want %+v", got, want)
	}
	w := newWriter(f)
	publish := func(name string, status event.Status, since time.Time) {
		def := define(name)
		f.ApplyService(event.Service{Time: noon, Service: name, Definition: def.Masked(), Status: status, Since: since,
			Origin: event.Origin{Instance: "i-x", Host: "h", Epoch: 1, Nonce: "x"}}, noon)
	}
	publish("a", event.Up, noon)
	publish("b", event.Degraded, noon.Add(-time.Hour))
	publish("c", event.Down, noon.Add(-time.Minute))
	publish("d", event.Down, noon.Add(-2*time.Minute))
	f.ApplyHealth(event.HealthLog{Timestamp: event.Seconds(noon), Service: "foreign", Status: event.Down}, false, noon, noon)

	w.write("open", "c", event.Opened{})
	w.write("asked", "d", event.Opened{})
	w.write("asked", "d", event.ApprovalRequested{Action: "restart", Expires: noon.Add(time.Hour)})
	w.write("escalated", "b", event.Opened{})
	w.write("escalated", "b", event.Escalated{Reason: "attempts"})
	w.write("healed", "a", event.Opened{})
	w.write("healed", "a", event.Resolved{How: event.HowHealed})
	w.write("recovered", "a", event.Opened{})
	w.write("recovered", "a", event.Resolved{How: event.HowRecovered})

	longest := noon.Add(-2 * time.Minute)
	want := Summary{Services: Counts{Up: 1, Degraded: 1, Down: 2, Unknown: 1}, OpenIncidents: 2, NeedsPerson: 2, Repaired24h: 1, Worst: Worst{"d", event.Down, &longest}}
	if got := f.Summary(w.at); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := f.Summary(w.at.Add(24 * time.Hour)).Repaired24h; got != 0 {
		t.Errorf("a day later %d repairs are of the last day", got)
	}
}

func TestWorstOfServicesThatAreUpHasNoName(t *testing.T) {
	f := newFleet()
	newWriter(f)
	def := define("pay")
	f.ApplyService(event.Service{Time: noon, Service: "pay", Definition: def.Masked(), Status: event.Up, Since: noon,
		Origin: event.Origin{Instance: "i-x", Host: "h", Epoch: 1, Nonce: "x"}}, noon)
	if got := f.Summary(noon).Worst; got != (Worst{Status: event.Up}) {
		t.Errorf("worst is %+v", got)
	}
}
