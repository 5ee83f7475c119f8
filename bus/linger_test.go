package bus

import (
	"testing"
	"time"

	"logstream/internal/event"
)

// TestANewRecordLingers until it is as old as the reader has it, and those after it are
// read with it. Another reader has them at once, and what is old waits for nothing.
func TestANewRecordLingers(t *testing.T) {
	const linger = 2 * time.Second
	b, _, stop := open(t, testConfig(t.TempDir()))
	appendAll(t, b, event.TopicIncidents, 0, 50)
	appended := time.Now()
	wait(t, "they are old", func() bool { return time.Since(appended) > linger })
	began := time.Now()
	late := read(t, b, event.Subscription{Topic: event.TopicIncidents, Linger: linger})
	soon := read(t, b, event.Subscription{Topic: event.TopicIncidents})
	wait(t, "what is old", func() bool { return len(late.all()) == 50 && len(late.caughtUp()) == 1 })
	if took := time.Since(began); took > linger+patience/4 {
		t.Errorf("50 old records took %s", took)
	}
	written := time.Now()
	appendAll(t, b, event.TopicIncidents, 50, 60)
	wait(t, "the new ones", func() bool { return len(soon.all()) == 60 })
	if n, age := len(late.all()), time.Since(written); age < linger && n != 50 {
		t.Errorf("after %s the one that lingers has %d records", age, n)
	}
	wait(t, "the new ones, late", func() bool { return len(late.all()) == 60 })
	if age := time.Since(written); age < linger-10*time.Millisecond { // a record's time is of whole milliseconds
		t.Errorf("the ones that linger came after %s", age)
	}
	wantCount(t, late.values(), 60)

	appendAll(t, b, event.TopicIncidents, 60, 61)
	wait(t, "the last", func() bool { return len(soon.all()) == 61 })
	ends := time.Now()
	stop()
	if took := time.Since(ends); took > linger+patience/4 {
		t.Errorf("to stop while a record lingers took %s", took)
	}
}
