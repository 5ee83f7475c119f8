package hook

import (
	"testing"
	"time"

	"logstream/internal/event"
)

// reports is a log in memory with a fold of it, and a clock.
type reports struct {
	t       *testing.T
	now     time.Time
	records []event.HealthLog
	repeats *Repeats
}

var kuma = Config{Name: "kuma", Kind: UptimeKuma}

func newReports(t *testing.T) *reports {
	return &reports{t: t, now: noon, repeats: NewRepeats([]Config{kuma})}
}

func (p *reports) put(h event.HealthLog) {
	p.records = append(p.records, h)
	p.repeats.Apply(h, true, p.now)
}

// says is a message of the sender.
func (p *reports) says(status event.Status) event.HealthLog {
	h := kuma.observation(report{names: []string{"web"}, check: "http", status: status, why: "x"}, ours, p.now)
	p.put(h)
	return h
}

// passes lets time pass, second by second, and returns how often each status was repeated.
func (p *reports) passes(d time.Duration) map[event.Status]int {
	repeated := map[event.Status]int{}
	for end := p.now.Add(d); p.now.Before(end); {
		p.now = p.now.Add(time.Second)
		for _, h := range p.repeats.Due(p.now) {
			repeated[h.Status]++
			p.put(h)
			if !h.Time().Equal(p.now) {
				p.t.Errorf("at %s a repetition says %s", p.now, h.Time())
			}
		}
	}
	return repeated
}

// restart folds what is on the log again, after a while in which nothing ran.
func (p *reports) restart(outage time.Duration) {
	p.now = p.now.Add(outage)
	p.repeats = NewRepeats([]Config{kuma})
	for _, h := range p.records {
		p.repeats.Apply(h, true, h.Time())
	}
	p.repeats.Resume(p.now)
}

func (p *reports) want(what string, got map[event.Status]int, down, up int) {
	p.t.Helper()
	if got[event.Down] != down || got[event.Up] != up {
		p.t.Errorf("%s: repeated are %v, want %d DOWN and %d UP", what, got, down, up)
	}
}

func TestAnAlertIsRepeatedUntilItsSenderReportsARecovery(t *testing.T) {
	p := newReports(t)
	p.says(event.Down)
	p.want("firing", p.passes(time.Minute), 6, 0)
	p.says(event.Up)
	p.want("resolved", p.passes(10*time.Minute), 0, 6)
}

func TestAnAlertIsNotRepeatedForEver(t *testing.T) {
	p := newReports(t)
	p.says(event.Down)
	p.want("its time", p.passes(badFor+time.Hour), int(badFor/repeatEvery), 0)
	if len(p.repeats.sources) != 0 {
		t.Errorf("%d sources are remembered for ever", len(p.repeats.sources))
	}
	p.says(event.Down) // Alertmanager repeats it now and then
	p.want("said again", p.passes(time.Minute), 6, 0)
}

func TestARepairEndsReportsFromBeforeIt(t *testing.T) {
	p := newReports(t)
	p.says(event.Down)
	p.passes(30 * time.Second)
	p.repeats.Acted("another", p.now)
	p.want("a repair of another service", p.passes(30*time.Second), 3, 0)
	p.repeats.Acted("web", p.now)
	p.want("a repair", p.passes(10*time.Minute), 0, 0)
	p.says(event.Down)
	p.want("said again", p.passes(time.Minute), 6, 0)
}

func TestARestartGoesOnRepeating(t *testing.T) {
	p := newReports(t)
	p.says(event.Down)
	p.passes(time.Hour)
	p.restart(5 * time.Second)
	p.want("after a restart", p.passes(badFor), int((badFor-time.Hour)/repeatEvery), 0)
}

// A repetition may be dated after what the sender says, and before that is read.
func TestARecoveryOvertakenByARepetitionCounts(t *testing.T) {
	p := newReports(t)
	p.says(event.Down)
	p.now = p.now.Add(repeatEvery)
	up := kuma.observation(report{names: []string{"web"}, check: "http", status: event.Up}, ours, p.now.Add(-time.Millisecond))
	for _, h := range p.repeats.Due(p.now) {
		p.put(h)
	}
	p.put(up)
	p.want("after the recovery", p.passes(10*time.Minute), 0, 5)
}

// The sender may have said otherwise meanwhile, and does not say it twice.
func TestALongAbsenceEndsRepeatedReports(t *testing.T) {
	p := newReports(t)
	p.says(event.Down)
	p.passes(30 * time.Second)
	p.restart(deafFor + time.Second)
	p.want("after a long absence", p.passes(time.Hour), 0, 0)
}

func TestARepairIsRememberedOverARestart(t *testing.T) {
	p := newReports(t)
	p.says(event.Down)
	p.passes(25 * time.Second)
	acted := p.now
	p.put(event.HealthLog{Timestamp: event.Seconds(p.now.Add(time.Second)), Service: "web", Status: event.Down, Check: "http",
		Until: event.Seconds(noon.Add(badFor)), Origin: event.Origin{Instance: "kuma"}}) // a repetition that was on its way
	p.now = p.now.Add(5 * time.Second)
	p.repeats = NewRepeats([]Config{kuma})
	p.repeats.Acted("web", acted) // incidents are read first
	for _, h := range p.records {
		p.repeats.Apply(h, true, h.Time())
	}
	p.repeats.Resume(p.now)
	p.want("after the restart", p.passes(time.Minute), 0, 0)
}

func TestOnlyOurOwnRecordsAreRepeated(t *testing.T) {
	p := newReports(t)
	down := p.says(event.Down)
	p.now = p.now.Add(time.Second)
	p.says(event.Up)
	p.passes(2 * time.Minute)
	other, owned, plain := down, down, down
	other.Instance, owned.Host, plain.Until = "another", "local", 0
	for _, h := range []*event.HealthLog{&other, &owned, &plain} {
		h.Timestamp = event.Seconds(p.now)
		p.put(*h)
	}
	unsigned := down
	unsigned.Timestamp = event.Seconds(p.now)
	p.repeats.Apply(unsigned, false, p.now)
	p.put(down) // published again by another program
	p.want("what does not count", p.passes(10*time.Minute), 0, 0)
}

func TestWhatIsRepeatedIsBounded(t *testing.T) {
	p := newReports(t)
	for i := range maxRepeated + 10 {
		h := kuma.observation(report{names: []string{"web"}, check: string(rune('一' + i)), status: event.Down}, ours, p.now)
		p.repeats.Apply(h, true, p.now)
	}
	if due := p.repeats.Due(p.now.Add(repeatEvery)); len(due) != maxRepeated {
		t.Errorf("%d are repeated", len(due))
	}
}
