package view

import (
	"cmp"
	"slices"
)

// Newest has the newest observation of each service that wanted accepts, one for each host,
// the oldest first.
func (f *Fleet) Newest(wanted func(name string) bool) []Observation {
	all := []Observation{}
	for key, s := range f.history.series {
		if len(s.recent) > 0 && wanted(key.Name) {
			all = append(all, s.recent[len(s.recent)-1])
		}
	}
	slices.SortFunc(all, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Host, b.Host))
	})
	return all
}
