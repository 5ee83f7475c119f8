package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"logstream/dashboard/view"
	"logstream/healer/update"
	"logstream/internal/event"
)

// logstream verify-deploy: for a pipeline that has just deployed something.

const (
	pollEvery    = time.Second      // between two reads of the service
	changeWithin = 15 * time.Second // an update is seen within it
)

// deployed is what the API says of a service, as far as it matters here.
type deployed struct {
	view.Service
	Config       *event.Definition  `json:"config"`
	Observations []view.Observation `json:"observations"`
}

// deployVerdict is what is printed with --json.
type deployVerdict struct {
	Service string               `json:"service"`
	Status  event.Status         `json:"status"`
	Verdict event.UpdateVerdict  `json:"verdict"` // good, bad, or watching: there is no verdict
	Reasons []event.UpdateReason `json:"reasons"`
	// Decided says that LogStream's own watch has ended; else the verdict is by what
	// was seen so far.
	Decided bool                `json:"decided"`
	Updated bool                `json:"updated"` // its image changed lately
	Before  event.UpdateFigures `json:"before"`
	After   event.UpdateFigures `json:"after"`
	Update  *event.Update       `json:"update,omitempty"`
}

// verifyDeployCommand waits for the verdict on an update.
func verifyDeployCommand() *cobra.Command {
	cmd := newCommand("verify-deploy <service>", "Wait for the verdict on a service's new image: exit 0 if it is good, 1 if it is bad or there is no verdict",
		"docker compose up -d payment-service && logstream verify-deploy payment-service --for 5m")
	open, asJSON := clientOf(cmd), jsonFlag(cmd)
	cmd.ValidArgsFunction = completeNames(runningServices(open))
	length := lengthFlag(cmd, "for", 5*time.Minute, "compare its checks with those before the update for at most this `duration`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := open()
		if err != nil {
			return err
		}
		say := cmd.OutOrStdout()
		if *asJSON {
			say = io.Discard
		}
		verdict, err := c.verifyDeploy(cmd.Context(), args[0], *length, say)
		var answer apiError
		switch {
		case errors.As(err, &answer) && answer.status == http.StatusNotFound:
			return usageFailure(cmd, "%s", answer.why)
		case err != nil:
			return fmt.Errorf("verify-deploy: %w", err)
		}
		if *asJSON {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(verdict) // a closed output needs no error
		} else {
			fmt.Fprintln(say, printable(verdict.String()))
		}
		if verdict.Verdict != event.UpdateGood {
			return errPrinted
		}
		return nil
	}
	return cmd
}

// verifyDeploy waits for the verdict on a service's newest update, for at most so
// long. Where its image did not change lately its checks of that time are
// compared with those before, in the same way.
func (c client) verifyDeploy(ctx context.Context, name string, length time.Duration, say io.Writer) (deployVerdict, error) {
	began := time.Now()
	var seen []view.Observation
	announced, watched := false, false
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		var now deployed
		if err := c.call(ctx, http.MethodGet, []string{"services", name}, nil, nil, &now); err != nil {
			return deployVerdict{}, err
		}
		seen = together(seen, now.Observations)
		waited := time.Since(began)
		recent := isRecent(now.Update, began)
		settled := waited >= min(changeWithin, length/2) // what was deployed right before was seen
		watched = watched || recent && now.Update.Verdict == event.UpdateWatching
		if recent && now.Update.Verdict != event.UpdateWatching && (watched || settled) || waited >= length {
			return judgeDeploy(now, seen, began, recent), nil
		}
		if !recent && !announced && settled {
			announced = true
			fmt.Fprintln(say, printable(fmt.Sprintf("The image of %s did not change lately: its checks of the next %s are compared with those before.", name, (length-waited).Round(time.Second))))
		}
		select {
		case <-ctx.Done():
			return deployVerdict{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// isRecent says whether an update is the one in question: it is watched,
// or its watch was not over for longer than it took.
func isRecent(u *event.Update, began time.Time) bool {
	return u != nil && began.Before(u.Until.Add(u.Until.Sub(u.Since)))
}

// together are the observations that were seen, each once, oldest first.
func together(seen, next []view.Observation) []view.Observation {
	for _, o := range next {
		if !slices.ContainsFunc(seen, func(s view.Observation) bool {
			return s.Timestamp == o.Timestamp && s.Instance == o.Instance && s.Check == o.Check
		}) {
			seen = append(seen, o)
		}
	}
	slices.SortFunc(seen, func(a, b view.Observation) int { return a.Time().Compare(b.Time()) })
	return seen
}

// judgeDeploy is the verdict at the end. What is DOWN then is bad. Without a check
// nothing is good, but a watch that has ended and what is UP and was not updated.
func judgeDeploy(now deployed, seen []view.Observation, began time.Time, recent bool) deployVerdict {
	v := deployVerdict{Service: now.Name, Status: now.Status, Verdict: event.UpdateGood, Reasons: []event.UpdateReason{}, Updated: recent}
	if recent {
		u := *now.Update
		v.Update, v.Before, v.After, v.Decided = &u, u.Before, u.After, u.Verdict != event.UpdateWatching
		v.Reasons = append(v.Reasons, u.Reasons...)
	} else {
		var latency time.Duration
		if now.Config != nil {
			latency, _ = time.ParseDuration(now.Config.Expect.Latency)
		}
		var before, after update.Samples
		for _, o := range seen {
			sample := update.Sample{At: o.Time(), MS: o.LatencyMS, Bad: o.Status == event.Down}
			switch {
			case !isOwn(now, o):
			case o.Time().Before(began):
				before = append(before, sample)
			default:
				after = append(after, sample)
			}
		}
		v.Before, v.After = before.Figures(), after.Figures()
		v.Reasons = append(v.Reasons, update.Worse(update.Compared{Before: v.Before, After: v.After, Latency: latency})...)
	}
	if now.Status == event.Down && !slices.Contains(v.Reasons, event.UpdateDown) {
		v.Reasons = append(v.Reasons, event.UpdateDown)
	}
	switch {
	case len(v.Reasons) > 0:
		v.Verdict = event.UpdateBad
	case v.After.Checks == 0 && !v.Decided && (recent && !isChecked(now, seen) || now.Status != event.Up):
		v.Verdict = event.UpdateWatching
	}
	return v
}

// isChecked says whether a check was seen since the update: what is published of its
// watch may be a minute old.
func isChecked(now deployed, seen []view.Observation) bool {
	return slices.ContainsFunc(seen, func(o view.Observation) bool { return isOwn(now, o) && o.Time().After(now.Update.Since) })
}

// isOwn says whether a check is one of the schedule of the service's owner.
func isOwn(now deployed, o view.Observation) bool {
	return !o.Extra && o.Check != event.CheckContainer && o.Check != event.CheckHealth && o.Instance == now.Owner
}

// String is the verdict in words.
func (v deployVerdict) String() string {
	what := v.Service
	if v.Update != nil {
		what += fmt.Sprintf(", image %s (%s, before it %s)", v.Update.Image, shortImage(v.Update.ImageID), shortImage(v.Update.PreviousImageID))
	}
	if v.Verdict == event.UpdateBad {
		var why []string
		for _, reason := range v.Reasons {
			why = append(why, v.because(reason))
		}
		if v.Update != nil && v.Update.FailingBefore {
			why = append(why, "the service failed before its image changed already")
		}
		return fmt.Sprintf("%s: bad. %s.", what, strings.Join(why, "; "))
	}
	if v.Verdict == event.UpdateWatching {
		return fmt.Sprintf("%s: %s", what, v.undecided())
	}
	out := fmt.Sprintf("%s: good. %d of %d checks failed (%s before); 95%% of them took up to %.0f ms (%.0f ms before).", what, v.After.Bad, v.After.Checks, rate(v.Before), v.After.P95MS, v.Before.P95MS)
	if v.Update != nil && v.Update.Logs != nil && v.Update.Logs.New > 0 {
		out += " But " + newErrors(v.Update) + "."
	}
	if v.Update != nil && !v.Decided {
		out += " LogStream watches it until " + v.Update.Until.Local().Format(time.TimeOnly) + "."
	}
	return out
}

// undecided is why there is no verdict, and what to do.
func (v deployVerdict) undecided() string {
	out := fmt.Sprintf("no verdict: no check was counted, and the service is %s. ", v.Status)
	if v.Update != nil {
		return out + fmt.Sprintf("Run verify-deploy again with a --for that lasts beyond %s.", v.Update.Until.Local().Format(time.TimeOnly))
	}
	return out + fmt.Sprintf("See why with logstream probe %s, then run verify-deploy again.", v.Service)
}

func (v deployVerdict) because(reason event.UpdateReason) string {
	switch reason {
	case event.UpdateErrors:
		return fmt.Sprintf("error rate %s, before %s", rate(v.After), rate(v.Before))
	case event.UpdateLatency:
		return fmt.Sprintf("95%% of its checks take up to %.0f ms, before %.0f ms", v.After.P95MS, v.Before.P95MS)
	case event.UpdateExits:
		return fmt.Sprintf("its container ended %d times by itself, before %d times", v.After.Exits, v.Before.Exits)
	case event.UpdateLog:
		return newErrors(v.Update)
	case event.UpdateRolledBack:
		return "LogStream rolled the image back"
	case event.UpdateDown:
		return "the service is DOWN"
	}
	return string(reason)
}

// newErrors is what the log shows of an update.
func newErrors(u *event.Update) string {
	if u == nil || u.Logs == nil {
		return "its log has new error messages"
	}
	return fmt.Sprintf("its log has %d error messages that it did not have before, such as %q", u.Logs.New, u.Logs.Example)
}

func rate(f event.UpdateFigures) string { return fmt.Sprintf("%.0f%%", 100*f.ErrorRate()) }

// shortImage is an image's id as people see it.
func shortImage(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}
