package view

import (
	"testing"
	"time"

	"logstream/internal/event"
)

// A LogStream that ended says nothing of its services: the page of another host
// shows what is known, which is nothing.
func TestServicesOfAHostWhoseOwnerEndedAreUnknown(t *testing.T) {
	f := newFleet()
	owner := event.Origin{Instance: "i-y", Host: "far", Epoch: 1, Nonce: "y"}
	f.ApplyIncident(event.Incident{ID: "y", Seq: 1, Time: noon, Type: event.TypeClaim, Service: event.ReservedService,
		Data: event.Claim{Host: "far", Instance: "i-y", Epoch: 1, Nonce: "y"}, Origin: owner}, noon)
	publish := func(name, url string, at time.Time, revision int64) {
		def := define(name)
		def.URL = url
		f.ApplyService(event.Service{Time: at, Service: name, Definition: def.Masked(), Status: event.Up, Since: noon, Revision: revision, Origin: owner}, at)
	}
	publish("web", "http://far:1", noon, 1)
	publish("backup", "push://", noon, 2)
	status := func(name string, at time.Time) event.Status {
		s, is := f.Service(name, at)
		if !is {
			t.Fatalf("%s is not shown", name)
		}
		return s.Status
	}
	turned := func(at time.Time) (names []string) {
		for _, c := range f.Tick(at) {
			if s, is := c.Data.(Service); is {
				names = append(names, s.Name)
			}
		}
		return names
	}

	at := noon.Add(80 * time.Second)
	f.ApplyHealth(event.HealthLog{Timestamp: event.Seconds(at), Service: "web", Status: event.Up, Check: "http", Revision: 3, Origin: owner}, true, at, at)
	if got := status("web", at.Add(hostFresh)); got != event.Up {
		t.Errorf("it is %s while its owner is fresh", got)
	}
	if names := turned(at.Add(hostFresh)); len(names) != 0 {
		t.Errorf("%v turned", names)
	}
	gone := at.Add(hostFresh + time.Second)
	if names := turned(gone); len(names) != 1 || names[0] != "web" || status("web", gone) != event.Unknown {
		t.Errorf("after its owner ended %v turned, and it is %s", names, status("web", gone))
	}
	if got := status("backup", gone); got != event.Up {
		t.Errorf("a job of which only each hour something is written is %s", got)
	}
	if got := status("backup", at.Add(pushFresh+time.Minute)); got != event.Unknown {
		t.Errorf("an hour later it is %s", got)
	}
	if own, _ := f.Service("pay", gone); own.Status != event.Pending {
		t.Errorf("a service of this host is %s", own.Status)
	}

	publish("web", "http://far:1", gone.Add(time.Second), 4)
	if got := status("web", gone.Add(2*time.Second)); got != event.Up {
		t.Errorf("it is %s when its owner is back", got)
	}
	if names := turned(gone.Add(2 * time.Second)); len(names) != 1 || names[0] != "web" {
		t.Errorf("%v turned back", names)
	}
}
