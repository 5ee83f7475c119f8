package dashboard

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"logstream/internal/event"
)

// at reads what a start page's widget is configured to show: one name in another,
// without looking whether there is anything. Homepage's customapi does so, and
// fails where an object on the way is null.
func at(t *testing.T, body []byte, path ...string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatal(err)
	}
	for _, name := range path {
		object, is := value.(map[string]any)
		if !is {
			t.Fatalf("%v: there is no object to read %q from in %s", path, name, body)
		}
		value = object[name]
	}
	return value
}

func TestSummary(t *testing.T) {
	s := serve(t, nil, (*site).claim, waiting, func(s *site) { s.service(event.Down, nil) })
	_, body := s.do("GET", "/api/v1/summary", "", nil)
	for _, tt := range []struct {
		want any
		path []string
	}{
		{0., []string{"services", "up"}},
		{0., []string{"services", "degraded"}},
		{1., []string{"services", "down"}},
		{1., []string{"services", "unknown"}},
		{1., []string{"open_incidents"}},
		{1., []string{"needs_person"}},
		{0., []string{"repaired_24h"}},
		{"payment-service", []string{"worst", "name"}},
		{"DOWN", []string{"worst", "status"}},
		{"", []string{"held"}},
		{"auto", []string{"mode"}},
	} {
		if got := at(t, body, tt.path...); got != tt.want {
			t.Errorf("%v is %v, want %v", tt.path, got, tt.want)
		}
	}
	names := slices.Sorted(maps.Keys(decode[map[string]any](t, body)))
	if want := []string{"held", "mode", "needs_person", "open_incidents", "repaired_24h", "services", "worst"}; !slices.Equal(names, want) {
		t.Errorf("fields are %v, want %v", names, want)
	}
	s.answer(s.post("/api/v1/hold", `{"reason":"a release"}`), true)
	s.eventually("held", func() bool {
		_, body := s.do("GET", "/api/v1/summary", "", nil)
		return at(t, body, "held") == "a release"
	})
}

// TestSummaryOfNothing: a widget reads the same names before anything is
// configured and while everything is UP.
func TestSummaryOfNothing(t *testing.T) {
	s := serve(t, func(d *Deps) { d.Services = nothing }, (*site).claim)
	_, body := s.do("GET", "/api/v1/summary", "", nil)
	if name, status, since := at(t, body, "worst", "name"), at(t, body, "worst", "status"), at(t, body, "worst", "since"); name != "" || status != "UP" || since != nil {
		t.Errorf("worst is %v %v since %v", name, status, since)
	}
}
