package monitor

import (
	"container/heap"
	"time"
)

// timetable holds the tasks that wait for their time, the earliest first. Times
// are rounded up to slots of the grid's anchor, so that what is due at about the
// same time costs one wake-up.
type timetable struct {
	anchor time.Time
	tasks  byWake
}

// put adds a task that is to be woken at a time, or moves it there.
func (t *timetable) put(k *task, at, now time.Time) {
	k.wake = at
	if into := at.Sub(t.anchor) % slot; into > 0 && at.After(now) {
		k.wake = at.Add(slot - into)
	}
	if k.place > 0 {
		heap.Fix(&t.tasks, k.place-1)
		return
	}
	heap.Push(&t.tasks, k)
}

// remove takes out a task that is in it.
func (t *timetable) remove(k *task) {
	if k.place > 0 {
		heap.Remove(&t.tasks, k.place-1)
	}
}

// take removes the earliest where it is to be woken by now; nil: there is none.
func (t *timetable) take(now time.Time) *task {
	if len(t.tasks) == 0 || t.tasks[0].wake.After(now) {
		return nil
	}
	return heap.Pop(&t.tasks).(*task)
}

// next is when the earliest is to be woken, or idle where there is none before.
func (t *timetable) next(idle time.Time) time.Time {
	if len(t.tasks) == 0 || t.tasks[0].wake.After(idle) {
		return idle
	}
	return t.tasks[0].wake
}

// byWake is a heap. Each task knows its place in it, counted from 1.
type byWake []*task

func (h byWake) Len() int           { return len(h) }
func (h byWake) Less(i, j int) bool { return h[i].wake.Before(h[j].wake) }

func (h byWake) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

func (h *byWake) Push(x any) {
	k := x.(*task)
	*h = append(*h, k)
	k.place = len(*h)
}

func (h *byWake) Pop() any {
	last := len(*h) - 1
	k := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	k.place = 0
	return k
}
