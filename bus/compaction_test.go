package bus

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/IBM/sarama"

	"logstream/internal/event"
	"logstream/internal/state"
)

// TestCompactionChangesNoFold gives a fold random histories, with old records that
// were published again, whole and compacted: both end in the same, and what is
// handled stands in its order.
func TestCompactionChangesNoFold(t *testing.T) {
	fold := func(newest map[string]event.Service, s event.Service) {
		key := s.Nonce + s.Service
		if old, known := newest[key]; !known || state.Newer(s, old) {
			newest[key] = s
		}
	}
	for seed := range uint64(500) {
		chance := rand.New(rand.NewPCG(seed, 1))
		var written []event.Service
		for i := range 60 {
			epoch := int64(chance.IntN(3))
			s := event.Service{Service: fmt.Sprint(chance.IntN(4)), Code: i, Origin: event.Origin{Host: "local", Epoch: epoch, Nonce: fmt.Sprint(epoch)}}
			if chance.IntN(20) > 0 { // else it is of before there were revisions
				s.Revision = int64(i + 1)
			}
			if i > 0 && chance.IntN(3) == 0 {
				s = written[chance.IntN(i)]
			}
			written = append(written, s)
		}
		want, got := map[string]event.Service{}, map[string]event.Service{}
		var c compaction
		for i, s := range written {
			fold(want, s)
			r := event.Record{Offset: int64(i), Value: event.Encode(s)}
			v, is := event.ServiceVersion(r)
			if !is {
				t.Fatalf("%s has no version", r.Value)
			}
			c.hold(consumed{&sarama.ConsumerMessage{}, r}, v)
		}
		last, handled := int64(-1), 0
		for _, of := range c.release() {
			if of.message == nil {
				continue
			}
			if of.record.Offset <= last {
				t.Fatalf("history %d: record %d after record %d", seed, of.record.Offset, last)
			}
			last, handled = of.record.Offset, handled+1
			s, err := event.DecodeService(of.record.Value)
			if err != nil {
				t.Fatal(err)
			}
			fold(got, s)
		}
		if handled != len(want) {
			t.Errorf("history %d: %d records handled of %d versions", seed, handled, len(want))
		}
		for key, s := range want {
			if got[key].Code != s.Code {
				t.Errorf("history %d: of %s record %d counts, and whole %d", seed, key, got[key].Code, s.Code)
			}
		}
		if len(c.release()) != 0 {
			t.Fatal("it is released twice")
		}
	}
}
