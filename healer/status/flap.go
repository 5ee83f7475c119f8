package status

import "logstream/internal/event"

// flap says whether a service changes its status too often. The method is that
// of Nagios and Naemon (naemon.io/documentation/usersguide/flapping): of the last
// 21 observations it counts the 20 changes that are possible between them,
// weighs the newest with 1.2 and the oldest with 0.8, evenly between, and takes
// what is the share that there was. A service starts to flap above flapHigh: about what
// the default thresholds allow at most, two changes in five observations, and
// more than what is broken and repaired by hand over and over comes to, as each
// repair is verified in between. It ceases below flapLow, Icinga's threshold.
//
// What changes is the status between DOWN and good, behind the thresholds, as
// seen at each scheduled observation of our own check or what stands for it.
type flap struct {
	now     bool // it flaps
	held    verdict
	turned  bool   // since the last sample
	changes []bool // at each sample, newest last, at most flapSamples
}

// verdict is what a service was last decided to be.
type verdict int

const (
	undecided verdict = iota
	good
	bad
)

const (
	flapSamples = 20
	flapHigh    = 40.0
	flapLow     = 25.0
)

func (f *flap) restore(published *event.Service) {
	f.now = published.Flapping
	f.decide(published.Status)
	f.turned = false
}

// decide notes what the service is held to be. While nothing is known of it,
// nothing changes.
func (f *flap) decide(to event.Status) {
	now := good
	switch to {
	case event.Down:
		now = bad
	case event.Pending, event.Unknown:
		return
	}
	f.turned = f.turned || f.held != undecided && f.held != now
	f.held = now
}

// sample takes whether it changed since the last time. Before there are as many
// samples as it needs, it may start to flap, and does not cease.
func (f *flap) sample() {
	f.changes = append(f.changes, f.turned)
	f.changes = f.changes[max(0, len(f.changes)-flapSamples):]
	f.turned = false
	share := f.share()
	if f.now {
		f.now = share >= flapLow || len(f.changes) < flapSamples
	} else {
		f.now = share > flapHigh
	}
}

// share is the weighted share of changes, in percent.
func (f *flap) share() float64 {
	sum := 0.0
	for i, changed := range f.changes {
		if changed {
			sum += 0.8 + 0.4*float64(flapSamples-len(f.changes)+i)/(flapSamples-1)
		}
	}
	return 100 * sum / flapSamples
}
