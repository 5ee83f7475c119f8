package gameday

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	offered = []Service{{Name: "web", Chaos: true}, {Name: "db", Chaos: true}, {Name: "safe"}}
	faults  = []Fault{
		{Name: "stop", Reversible: true, Repairable: true, Services: []string{"web", "db"}},
		{Name: "disk", UndoneBy: "free", Reversible: true, Services: []string{"web"}},
		{Name: "remove", Services: []string{"web", "db"}},
	}
)

func TestPlan(t *testing.T) {
	for _, tt := range []struct {
		name             string
		services, faults []string
		want             string // service fault, …
		says             string // of the error
	}{
		{"by default what can be repaired, wherever it is allowed", nil, nil, "web stop, db stop", ""},
		{"one service", []string{"db"}, nil, "db stop", ""},
		{"what a person has to repair, when it is named", []string{"web"}, []string{"disk"}, "web disk", ""},
		{"all that can be reversed", nil, []string{"all"}, "web stop, db stop, web disk", ""},
		{"in the order of the list", []string{"web"}, []string{"disk", "stop"}, "web stop, web disk", ""},
		{"services that do not allow it", []string{"web", "safe"}, nil, "", `safe: fault injection is off: add the line "chaos: true"`},
		{"an unknown service", []string{"wep"}, nil, "", `unknown service "wep"; did you mean "web"?`},
		{"an unknown fault", nil, []string{"stopp"}, "", `unknown fault "stopp"; did you mean "stop"?`},
		{"what cannot be reversed", nil, []string{"remove"}, "", "remove cannot be reversed"},
		{"nothing", []string{"db"}, []string{"disk"}, "", "there is nothing to inject into db"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := Plan(offered, faults, tt.services, tt.faults)
			var got []string
			for _, p := range plan {
				got = append(got, p.Service+" "+p.Fault.Name)
			}
			if strings.Join(got, ", ") != tt.want || tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("%q and the error %v", got, err)
			}
		})
	}
	if _, err := Plan([]Service{{Name: "safe"}}, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "no service allows") {
		t.Errorf("without any service: %v", err)
	}
}

func TestReport(t *testing.T) {
	ms := func(f float64) *float64 { return &f }
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		results  []Result
		headline string
		passed   bool
	}{
		{[]Result{{Outcome: Healed, DownMS: ms(4100)}, {Outcome: Healed, DownMS: ms(900)}}, "2 faults, 2 healed, worst 4.1 s", true},
		{[]Result{{Outcome: Healed, DownMS: ms(900)}, {Outcome: NotHealed}, {Outcome: Skipped}}, "2 faults, 1 healed, 1 not healed, 1 skipped, worst 0.9 s", false},
		{[]Result{{Outcome: NotInjected}}, "0 faults, 0 healed, 1 not injected", false},
		{[]Result{{Outcome: Healed}, {Outcome: Interrupted}}, "2 faults, 1 healed, 1 interrupted", false},
		{[]Result{{Outcome: Healed}, {Outcome: Recovered}}, "2 faults, 1 healed, 1 recovered without a verified repair", false},
		{[]Result{{Outcome: Recovered}}, "1 fault, 0 healed, 1 recovered without a verified repair", false},
		{nil, "0 faults, 0 healed", false},
	} {
		r := Report{Started: at, Ended: at, Results: tt.results}
		if r.conclude(); r.Headline != tt.headline || r.Passed != tt.passed {
			t.Errorf("%q, passed %v; want %q, %v", r.Headline, r.Passed, tt.headline, tt.passed)
		}
	}
	r := Report{Started: at, Ended: at, Results: []Result{{Service: "a|b\n# c", Fault: "kill", Outcome: Healed, DownMS: ms(4100), Cause: "<script>`x`"}}}
	r.conclude()
	if text := string(r.Markdown()); strings.Contains(text, "<script>") || !strings.Contains(text, `| a\|b # c | kill | healed | 4.1 s |`) {
		t.Errorf("the Markdown is\n%s", text)
	}
	content, err := r.JSON()
	var back Report
	if err != nil || json.Unmarshal(content, &back) != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("read back: %v %+v", err, back)
	}
	secret := []byte("a secret of the test")
	if s := Sign(secret, content); !Verify(secret, content, s+"\n") || Verify(secret, append(content, ' '), s) || Verify([]byte("another secret, not ours"), content, s) {
		t.Error("the signature is not that of the content")
	}
}
