package fleet

import (
	"slices"

	"logstream/internal/event"
)

// Census keeps the picture of members that change one at a time. What a change costs
// follows from who needs that member, and not from how many there are.
type Census struct {
	entries map[string]*entry
	needing map[string][]*entry // who needs a member itself, by its name
	targets list
	failed  list // of the targets: those that fail while their containers run

	red, healthy, known int
	probed              int // those that are, with dependents whose root explains why they fail
	cut                 int // of the red: those that fail as what is cut off does
	both                int // of those that failed: how many are DOWN
	against             int // and of how many the HEALTHCHECK fails as well
	checks              checks
	rare                list // of those that failed: those that are not waited for
	down                list // those that are DOWN, for whatever reason

	gathered bool // of so few, or not
	few      bool
	group    Group
	visited  int
}

// entry is one member, and what it was counted as.
type entry struct {
	Member
	healthy, known, red, both, against, often bool
	probed, cut                               bool
	target, fails, seldom, down               int // its places in the lists, from 1; 0: it is in none
}

// list is a set of entries whose order means nothing.
type list struct {
	all   []*entry
	place func(*entry) *int
}

func (l *list) put(e *entry) {
	l.all = append(l.all, e)
	*l.place(e) = len(l.all)
}

func (l *list) take(e *entry) {
	at := l.place(e)
	if *at == 0 {
		return
	}
	last := l.all[len(l.all)-1]
	l.all[*at-1], *l.place(last) = last, *at
	l.all, *at = l.all[:len(l.all)-1], 0
}

// NewCensus has no member.
func NewCensus() *Census {
	return &Census{entries: map[string]*entry{}, needing: map[string][]*entry{},
		targets: list{place: func(e *entry) *int { return &e.target }}, failed: list{place: func(e *entry) *int { return &e.fails }},
		rare: list{place: func(e *entry) *int { return &e.seldom }}, down: list{place: func(e *entry) *int { return &e.down }}}
}

// Clear removes all members.
func (c *Census) Clear() {
	visited := c.visited
	*c = *NewCensus()
	c.visited = visited
}

// Assess makes the picture of the members.
func Assess(members []Member) Picture {
	c := NewCensus()
	for _, m := range members {
		c.Set(m)
	}
	return c.Picture()
}

// Picture is what the members show together. It holds until one is set or removed.
func (c *Census) Picture() Picture {
	return Picture{Members: len(c.entries), Targets: len(c.targets.all), Probed: c.probed, Red: c.red, Healthy: c.healthy, Known: c.known, census: c}
}

// Visited is how many members were read so far, for one reason or another: the cost
// of all that was asked.
func (c *Census) Visited() int { return c.visited }

// Set takes a member as it is now.
func (c *Census) Set(m Member) {
	c.visited++
	e := c.entries[m.Name]
	if e == nil {
		e = &entry{}
		c.entries[m.Name] = e
	} else {
		before := e.Member
		before.Checked = m.Checked
		if isSame(before, m) {
			c.checks.count(e, false)
			e.Checked = m.Checked
			c.checks.count(e, true)
			return
		}
	}
	c.replace(e, m)
	c.recount(e)
}

// replace gives a member its new values, and counts those again that need it.
func (c *Census) replace(e *entry, m Member) {
	before := e.Member
	if e.Name == "" || !slices.Equal(before.Needs, m.Needs) {
		c.unlink(e)
		for _, name := range m.Needs {
			c.needing[name] = append(c.needing[name], e)
		}
	}
	c.uncount(e) // as it was
	e.Member = m
	if before.Status != m.Status || before.Failing != m.Failing || before.Stopped != m.Stopped || before.Health != m.Health || before.Name != m.Name {
		c.recount(c.needing[m.Name]...)
	}
}

func (c *Census) unlink(e *entry) {
	for _, name := range e.Needs {
		c.needing[name] = slices.DeleteFunc(c.needing[name], func(other *entry) bool { return other == e })
	}
}

// Remove forgets a member.
func (c *Census) Remove(name string) {
	e := c.entries[name]
	if e == nil {
		return
	}
	c.uncount(e)
	c.unlink(e)
	delete(c.entries, name)
	c.recount(c.needing[name]...)
}

func (c *Census) of(name string) (Member, bool) {
	if e := c.entries[name]; e != nil {
		return e.Member, true
	}
	return Member{}, false
}

// recount counts members again as they are.
func (c *Census) recount(all ...*entry) {
	for _, e := range all {
		c.visited++
		c.uncount(e)
		c.count(e)
	}
}

func (c *Census) count(e *entry) {
	m := e.Member
	switch m.Status {
	case event.Up, event.Degraded:
		e.known, e.healthy = true, true
	case event.Down:
		c.down.put(e)
		rooted := slices.ContainsFunc(m.Needs, func(name string) bool { root, _ := c.of(name); return root.Status == event.Down })
		e.known = !m.Wanted && !rooted
	}
	e.probed = m.Probed && m.Status != event.Unknown
	target := e.probed && !explained(m, c.of)
	e.red, e.often = target && m.Red && !m.Stopped, target && m.Interval <= soon
	e.cut = e.red && (m.Checked.IsZero() || m.mayBeCut())
	if target {
		c.targets.put(e)
	}
	if target && m.Failing && !m.Stopped {
		c.failed.put(e)
		c.gathered = false
		if !e.often {
			c.rare.put(e)
		}
	}
	e.both, e.against = e.fails > 0 && m.Red, e.fails > 0 && m.Health == event.Down
	c.checks.count(e, true)
	c.add(e, 1)
}

func (c *Census) uncount(e *entry) {
	if e.fails > 0 {
		c.gathered = false
	}
	c.add(e, -1)
	c.checks.count(e, false)
	c.targets.take(e)
	c.failed.take(e)
	c.rare.take(e)
	c.down.take(e)
	e.healthy, e.known, e.red, e.both, e.against, e.often, e.probed, e.cut = false, false, false, false, false, false, false, false
}

func (c *Census) add(e *entry, n int) {
	for _, of := range []struct {
		is  bool
		sum *int
	}{{e.healthy, &c.healthy}, {e.known, &c.known}, {e.red, &c.red}, {e.both, &c.both}, {e.against, &c.against}, {e.probed, &c.probed}, {e.cut, &c.cut}} {
		if of.is {
			*of.sum += n
		}
	}
}

// DownBeside says how many but the member of that name are DOWN, and where they are few
// enough, which, by name.
func (p Picture) DownBeside(name string, few int) (n int, names []string) {
	if p.census == nil {
		return 0, nil
	}
	n = len(p.census.down.all)
	if e := p.census.entries[name]; e != nil && e.down > 0 {
		n--
	}
	if n > few {
		return n, nil
	}
	for _, e := range p.census.down.all {
		if e.Name != name {
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	return n, names
}

// Group are those that fail together, of few those that may be cut off: found once for all that is asked until one of
// those that fail changes.
func (p Picture) Group() Group {
	c := p.census
	if c == nil {
		return Group{}
	}
	if !c.gathered || c.few != p.few() {
		failed := c.failed.all
		c.visited += len(failed)
		if p.few() {
			failed = slices.DeleteFunc(slices.Clone(failed), func(e *entry) bool { return !e.mayBeCut() })
		}
		c.group, c.gathered, c.few = gather(failed), true, p.few()
	}
	return c.group
}

func isSame(a, b Member) bool {
	return a.Name == b.Name && a.Status == b.Status && a.Wanted == b.Wanted && a.Stopped == b.Stopped && a.Health == b.Health && a.Probed == b.Probed &&
		a.Interval == b.Interval && a.Checked.Equal(b.Checked) && a.Failing == b.Failing && a.FirstBad.Equal(b.FirstBad) && a.Failure == b.Failure && a.Red == b.Red && a.Proof == b.Proof && a.Runs == b.Runs &&
		slices.Equal(a.Needs, b.Needs)
}
