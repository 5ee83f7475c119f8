package replay

import (
	"fmt"
	"slices"
	"strings"
)

// stream is what is compared in order: per service what is decided, and apart
// from it what is published, as a state that is said twice is no decision.
type stream struct{ service, what string }

// streams sorts decisions. Inspections and collections are left out: when a
// container is inspected may move without a difference.
func streams(all []decided) map[stream][]decided {
	out := map[stream][]decided{}
	for _, d := range all {
		switch kind := d.text("decision"); kind {
		case doInspect, doCollect, doKeep:
		case doPublish:
			key := stream{d.text("service"), "publishes"}
			if earlier := out[key]; len(earlier) == 0 || !earlier[len(earlier)-1].matches(d.decision) {
				out[key] = append(earlier, d)
			}
		default:
			key := stream{d.text("service"), "decides"}
			out[key] = append(out[key], d)
		}
	}
	return out
}

// differences says how what was replayed differs from what was recorded; empty
// where it doesn't.
func differences(recorded, replayed []decided) string {
	before, after := streams(recorded), streams(replayed)
	var keys []stream
	for _, of := range []map[stream][]decided{before, after} {
		for key := range of {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	slices.SortFunc(keys, func(a, b stream) int { return strings.Compare(a.service+a.what, b.service+b.what) })
	var b strings.Builder
	for _, key := range keys {
		if lines, differ := compare(before[key], after[key]); differ {
			fmt.Fprintf(&b, "%s %s (- recorded, + now):\n%s", key.service, key.what, lines)
		}
	}
	return b.String()
}

// around is how many equal decisions are shown before and behind a different one.
const around = 2

// compare lists two streams as one, with the longest part that they share.
func compare(recorded, replayed []decided) (string, bool) {
	if slices.EqualFunc(replayed, recorded, func(now, then decided) bool { return now.matches(then.decision) }) {
		return "", false
	}
	shared := make([][]int, len(recorded)+1) // how long it is from there on
	for i := range shared {
		shared[i] = make([]int, len(replayed)+1)
	}
	for i := len(recorded) - 1; i >= 0; i-- {
		for j := len(replayed) - 1; j >= 0; j-- {
			shared[i][j] = max(shared[i+1][j], shared[i][j+1])
			if replayed[j].matches(recorded[i].decision) {
				shared[i][j] = max(shared[i][j], shared[i+1][j+1]+1)
			}
		}
	}
	type marked struct {
		mark byte
		decided
	}
	var list []marked
	for i, j := 0, 0; i < len(recorded) || j < len(replayed); {
		switch {
		case i < len(recorded) && j < len(replayed) && replayed[j].matches(recorded[i].decision) && shared[i][j] == shared[i+1][j+1]+1:
			list = append(list, marked{' ', replayed[j]})
			i, j = i+1, j+1
		case j == len(replayed) || i < len(recorded) && shared[i+1][j] >= shared[i][j+1]:
			list = append(list, marked{'-', recorded[i]})
			i++
		default:
			list = append(list, marked{'+', replayed[j]})
			j++
		}
	}
	var b strings.Builder
	for i, m := range list {
		near := list[max(0, i-around):min(len(list), i+around+1)]
		if slices.ContainsFunc(near, func(m marked) bool { return m.mark != ' ' }) {
			fmt.Fprintf(&b, "  %c %8.3f s  %s  <- %s\n", m.mark, m.at.Seconds(), m.decision, m.after)
		}
	}
	return b.String(), true
}
