package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

func TestDeployVerdict(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	updated := func(verdict event.UpdateVerdict, reasons ...event.UpdateReason) *event.Update {
		return &event.Update{Image: "web:2", ImageID: "sha256:bbbbbbbbbbbbbbbb", PreviousImage: "web:1", PreviousImageID: "sha256:aaaaaaaaaaaaaaaa", Since: began.Add(-time.Minute), Until: began.Add(9 * time.Minute),
			Verdict: verdict, Reasons: reasons, Before: event.UpdateFigures{Checks: 300, Bad: 3, P95MS: 9}, After: event.UpdateFigures{Checks: 20, Bad: 10, P95MS: 12, Exits: 2}}
	}
	logging := func(u *event.Update, fresh int) *event.Update {
		u.Logs = &event.UpdateLogs{Known: 2, New: fresh, Example: "ERROR column total does not exist"}
		return u
	}
	unchecked := func(u *event.Update) *event.Update {
		u.After = event.UpdateFigures{}
		return u
	}
	checks := func(n, bad int, from time.Time) (all []view.Observation) {
		for i := range n {
			h := event.HealthLog{Timestamp: event.Seconds(from.Add(time.Duration(i) * time.Second)), Check: "http", Status: event.Up, LatencyMS: 5, Origin: event.Origin{Instance: "me"}}
			if i < bad {
				h.Status = event.Down
			}
			other, extra := h, h
			other.Instance, other.Status, extra.Extra, extra.Status = "else", event.Down, true, event.Down
			all = append(all, view.Observation{HealthLog: h}, view.Observation{HealthLog: other}, view.Observation{HealthLog: extra})
		}
		return all
	}
	for name, tt := range map[string]struct {
		update  *event.Update
		status  event.Status
		seen    []view.Observation
		want    event.UpdateVerdict
		reasons []event.UpdateReason
		says    string
	}{
		"good": {update: updated(event.UpdateGood), want: event.UpdateGood, says: "web, image web:2 (bbbbbbbbbbbb, before it aaaaaaaaaaaa): good. 10 of 20 checks failed (1% before)"},
		"bad":  {update: updated(event.UpdateBad, event.UpdateErrors, event.UpdateExits), want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateErrors, event.UpdateExits}, says: "bad. error rate 50%, before 1%; its container ended 2 times by itself, before 0 times."},
		"its log is worse": {update: logging(updated(event.UpdateBad, event.UpdateLog), 12), want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateLog},
			says: `bad. its log has 12 error messages that it did not have before, such as "ERROR column total does not exist".`},
		"good, and its log is worse":        {update: logging(updated(event.UpdateGood), 3), want: event.UpdateGood, says: `But its log has 3 error messages that it did not have before, such as "ERROR`},
		"good, and its log is the same":     {update: logging(updated(event.UpdateGood), 0), want: event.UpdateGood, says: "95% of them took up to 12 ms (9 ms before)."},
		"good so far":                       {update: updated(event.UpdateWatching), want: event.UpdateGood, says: "LogStream watches it until"},
		"rolled back before a verdict":      {update: updated(event.UpdateBad, event.UpdateRolledBack), status: event.Up, want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateRolledBack}, says: "bad. LogStream rolled the image back."},
		"DOWN in the end":                   {update: updated(event.UpdateWatching), status: event.Down, want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateDown}, says: "bad. the service is DOWN."},
		"no update":                         {seen: slices.Concat(checks(50, 0, began.Add(-time.Minute)), checks(20, 0, began)), want: event.UpdateGood, says: "web: good. 0 of 20 checks failed (0% before)"},
		"no update, worse":                  {seen: slices.Concat(checks(50, 0, began.Add(-time.Minute)), checks(20, 8, began)), want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateErrors}, says: "bad. error rate 40%, before 0%."},
		"no update, and UP without a check": {status: event.Up, want: event.UpdateGood, says: "web: good. 0 of 0 checks failed"},
		"no update, no check": {status: event.Unknown, seen: checks(50, 0, began.Add(-time.Minute)), want: event.UpdateWatching,
			says: "web: no verdict: no check was counted, and the service is UNKNOWN. See why with logstream probe web, then run verify-deploy again."},
		"no update, checks of others alone": {status: event.Pending, seen: checks(1, 0, began)[1:], want: event.UpdateWatching, says: "no verdict: no check was counted, and the service is PENDING."},
		"no check so far":                   {update: unchecked(updated(event.UpdateWatching)), status: event.Up, want: event.UpdateWatching, says: "and the service is UP. Run verify-deploy again with a --for that lasts beyond "},
		"checks that are not published yet": {update: unchecked(updated(event.UpdateWatching)), seen: checks(2, 0, began.Add(time.Hour)), status: event.Up, want: event.UpdateGood},
		"no check, and the watch ended":     {update: unchecked(updated(event.UpdateGood)), status: event.Up, want: event.UpdateGood, says: ": good. 0 of 0 checks failed"},
		"no check, and DOWN":                {status: event.Down, want: event.UpdateBad, reasons: []event.UpdateReason{event.UpdateDown}, says: "bad. the service is DOWN."},
	} {
		now := deployed{Service: view.Service{Name: "web", Owner: "me", Status: tt.status, Update: tt.update}}
		got := judgeDeploy(now, together(nil, tt.seen), began, isRecent(tt.update, began))
		if got.Verdict != tt.want || !slices.Equal(got.Reasons, tt.reasons) || !strings.Contains(got.String(), tt.says) {
			t.Errorf("%s: %s %v: %s", name, got.Verdict, got.Reasons, got)
		}
	}
	if old := updated(event.UpdateGood); isRecent(old, began.Add(time.Hour)) || !isRecent(old, began.Add(15*time.Minute)) {
		t.Error("an old update counts as recent, or a recent one as old")
	}
}

// TestVerifyDeployWithoutAnUpdate has the demo run: nothing was deployed there.
func TestVerifyDeployWithoutAnUpdate(t *testing.T) {
	s := smallSetup(t, t.TempDir())
	a, _ := started(t, s)
	page := "http://" + a.dashboard.now().Addr()
	until(t, 40*time.Second, "payment-service is UP", func() bool { return statuses(a.dashboard.now().Addr())["payment-service"] == "UP" })
	code, out, failed := logstream("verify-deploy", "payment-service", "--for", "4s", "--url", page)
	if code != exitDone || !strings.Contains(out, "The image of payment-service did not change lately: its checks of the next 2s") || !strings.Contains(out, "payment-service: good. 0 of ") {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}
	var verdict deployVerdict
	code, out, failed = logstream("verify-deploy", "payment-service", "--for", "1s", "--json", "--url", page)
	if err := json.Unmarshal([]byte(out), &verdict); err != nil || code != exitDone || verdict.Verdict != event.UpdateGood || verdict.Updated || verdict.Before.Checks == 0 {
		t.Errorf("exit %d: %s%s (%v)", code, out, failed, err)
	}
	for _, args := range [][]string{{"verify-deploy", "nowhere", "--url", page}, {"verify-deploy"}, {"verify-deploy", "payment-service", "--for", "0s"}} {
		if code, out, failed := logstream(args...); code != exitStartupFailure || failed == "" {
			t.Errorf("%v: exit %d: %s%s", args, code, out, failed)
		}
	}
}
