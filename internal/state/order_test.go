package state

import "testing"

func TestOrderTakesEachRecordOnceAndNoOlderOne(t *testing.T) {
	type record struct{ epoch, revision int64 }
	for _, tt := range []struct {
		name string
		read []record
		last bool // whether the last one counts
	}{
		{"the first", []record{{3, 7}}, true},
		{"the next", []record{{3, 7}, {3, 8}}, true},
		{"one was lost in between", []record{{3, 7}, {3, 90}}, true},
		{"the same again", []record{{3, 7}, {3, 7}}, false},
		{"an old one", []record{{3, 7}, {3, 8}, {3, 7}}, false},
		{"an old one after a copy of it", []record{{3, 7}, {3, 8}, {3, 7}, {3, 7}}, false},
		{"what follows a copy", []record{{3, 7}, {3, 8}, {3, 7}, {3, 9}}, true},
		{"a new claim counts anew", []record{{3, 700}, {4, 1}}, true},
		{"one of an earlier claim", []record{{3, 7}, {4, 1}, {3, 8}}, false},
		{"before there were revisions", []record{{3, 0}, {3, 0}}, true},
		{"and after", []record{{3, 0}, {4, 1}, {4, 0}}, false},
		{"before there were claims", []record{{0, 0}, {0, 0}, {1, 1}}, true},
		{"and after that", []record{{1, 1}, {0, 0}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o Order
			var got bool
			for _, r := range tt.read {
				got = o.Next(r.epoch, r.revision)
			}
			if got != tt.last {
				t.Errorf("the last of %v counts: %v", tt.read, got)
			}
		})
	}
}
