package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"logstream/internal/event"
)

// plain makes the picture of all members anew, as it is defined.
func plain(members []Member) (p Picture, g Group, targets []Member) {
	of := func(name string) (Member, bool) {
		i := slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
		if i < 0 {
			return Member{}, false
		}
		return members[i], true
	}
	var failed []*entry
	for _, m := range members {
		rooted := slices.ContainsFunc(m.Needs, func(name string) bool { root, _ := of(name); return root.Status == event.Down })
		switch {
		case m.Status == event.Up, m.Status == event.Degraded:
			p.Known++
			p.Healthy++
		case m.Status == event.Down && !m.Wanted && !rooted:
			p.Known++
		}
		if !m.Probed || m.Status == event.Unknown {
			continue
		}
		if p.Probed++; explained(m, of) {
			continue
		}
		p.Targets++
		targets = append(targets, m)
		if m.Red && !m.Stopped {
			p.Red++
		}
		if m.Failing && !m.Stopped {
			failed = append(failed, &entry{Member: m})
		}
	}
	if p.Probed < Least {
		failed = slices.DeleteFunc(failed, func(e *entry) bool { return !slices.Contains(cutting, e.Failure) })
	}
	return p, gather(failed), targets
}

// plainSuspect is Picture.Suspect as it is defined, over all targets.
func plainSuspect(targets []Member, contradicted bool, m Member) bool {
	if !m.Probed || !m.Failing || m.Stopped || len(targets) < Least || contradicted {
		return false
	}
	with, good, open, all := 0, 0, 0, 0
	for _, other := range targets {
		since := !other.Checked.Before(m.FirstBad)
		if !since && other.Interval > soon {
			continue
		}
		all++
		switch {
		case other.Failing && !other.Stopped && !other.last().After(m.FirstBad) && !other.FirstBad.Before(m.last()):
			with++
		case !since:
			open++
		case !other.Failing:
			good++
		}
	}
	return with >= good && 2*(with+open) >= all
}

// TestCensusEqualsFullAssessment after each change of a member, whatever changed before.
func TestCensusEqualsFullAssessment(t *testing.T) {
	one := func(rng *rand.Rand, of ...event.Status) event.Status { return of[rng.IntN(len(of))] }
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		c, members := NewCensus(), []Member{}
		for step := range 60 {
			name := fmt.Sprintf("svc-%d", rng.IntN(2+int(seed%8)))
			i := slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
			m := Member{Name: name, Status: one(rng, event.Up, event.Down, event.Down, event.Degraded, event.Unknown, event.Pending), Wanted: rng.IntN(8) == 0,
				Stopped: rng.IntN(6) == 0, Health: one(rng, "", "", event.Up, event.Down), Probed: rng.IntN(8) > 0,
				Interval: []time.Duration{2 * time.Second, 5 * time.Second, time.Hour}[rng.IntN(3)], Checked: now.Add(time.Duration(step) * time.Second / 4)}
			if rng.IntN(2) == 0 {
				m.Failing, m.Red, m.FirstBad = true, rng.IntN(3) > 0, m.Checked.Add(-time.Duration(rng.IntN(5))*time.Second)
				m.Failure = []event.Failure{event.FailureStatus, event.FailureConnectTimeout}[rng.IntN(2)]
				m.Proof = []Proof{NoProof, Awaited, Well, Well, Ill}[rng.IntN(5)]
			}
			for range rng.IntN(3) {
				if on := fmt.Sprintf("svc-%d", rng.IntN(9)); on != name {
					m.Needs = append(m.Needs, on)
				}
			}
			switch {
			case i >= 0 && rng.IntN(6) == 0:
				members = slices.Delete(members, i, i+1)
				c.Remove(name)
			case i >= 0 && rng.IntN(3) == 0: // it was only checked again
				members[i].Checked = m.Checked
				c.Set(members[i])
			case i >= 0:
				members[i] = m
				c.Set(m)
			default:
				members = append(members, m)
				c.Set(m)
			}
			got := c.Picture()
			want, group, targets := plain(members)
			contradicted := group.Against > 0 && 2*group.Against > group.Witnesses
			blind := want.Targets >= Least && 2*group.Together >= want.Targets && !contradicted
			still := 2*want.Red >= max(want.Targets, 1) && !contradicted
			if want.Probed < Least {
				cut := 0
				for _, m := range targets {
					if m.Red && !m.Stopped && m.Failing && slices.Contains(cutting, m.Failure) {
						cut++
					}
				}
				blind = group.Together >= Few && 2*group.Together >= want.Targets && group.Well >= Few && group.Ill+group.Awaited == 0
				still = cut >= Few && 2*cut >= want.Targets && !contradicted
			}
			if got.Targets != want.Targets || got.Probed != want.Probed || got.Red != want.Red || got.Healthy != want.Healthy || got.Known != want.Known || got.Group() != group {
				t.Fatalf("seed %d, step %d: %+v with %+v, want %+v with %+v", seed, step, got, got.Group(), want, group)
			}
			if got.Blind() != blind || got.StillBlind() != still || got.Contradicted() != contradicted {
				t.Fatalf("seed %d, step %d: what it says differs", seed, step)
			}
			one, down := "absent", []string(nil)
			if len(members) > 0 {
				one = members[0].Name
			}
			for _, m := range members {
				if m.Status == event.Down && m.Name != one {
					down = append(down, m.Name)
				}
			}
			slices.Sort(down)
			if n, names := got.DownBeside(one, len(members)); got.Members != len(members) || n != len(down) || !slices.Equal(names, down) {
				t.Fatalf("seed %d, step %d: of %d beside %s, %v are DOWN, want %v of %d", seed, step, got.Members, one, names, down, len(members))
			}
			for _, m := range members {
				if want := plainSuspect(targets, contradicted, m); got.Suspect(m) != want {
					t.Fatalf("seed %d, step %d: %s is suspect: %v", seed, step, m.Name, !want)
				}
			}
		}
	}
}
