package healer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"logstream/internal/service"
)

// Problems are all that is wrong with c; nil where nothing is.
func (c Config) Problems() []service.Problem {
	var all []service.Problem
	add := func(key, value, message string) {
		all = append(all, service.Problem{Key: key, Value: value, Message: message})
	}
	between := func(key string, value, least, most time.Duration) {
		if value < least || value > most {
			add(key, value.String(), fmt.Sprintf("must be between %s and %s", short(least), short(most)))
		}
	}
	count := func(key string, value, most int) {
		if value < 1 || value > most {
			add(key, strconv.Itoa(value), fmt.Sprintf("must be between 1 and %d", most))
		}
	}
	if c.Mode != service.Observe && c.Mode != service.Approve && c.Mode != service.Auto {
		add("mode", string(c.Mode), "is not a mode; use observe, approve or auto")
	}
	if c.Decide != "" && c.Decide != DecideLLM && c.Decide != DecideRunbook {
		add("decide", string(c.Decide), "must be llm or runbook")
	}
	between("manual_grace", c.ManualGrace, 0, 10*time.Minute)
	between("verify.for", c.Verify.For, time.Second, time.Hour)
	count("verify.successes", c.Verify.Successes, 100)
	between("quiet", c.Quiet, 0, time.Hour)
	between("approval_timeout", c.ApprovalTimeout, time.Second, 7*24*time.Hour)
	between("update.watch", c.Update.Watch, 10*time.Second, time.Hour)
	count("budget.attempts", c.Budget.Attempts, 10)
	count("budget.per_hour", c.Budget.PerHour, 1000)
	count("budget.host_per_minute", c.Budget.HostPerMinute, 1000)
	between("budget.cooldown", c.Budget.Cooldown, time.Second, 10*time.Minute)
	if r := c.Budget.Recurrence; r.Times != 0 {
		if r.Times < 2 || r.Times > 1000 {
			add("budget.recurrence.times", strconv.Itoa(r.Times), "must be 0 (never), or between 2 and 1000")
		}
		between("budget.recurrence.within", r.Within, time.Hour, 60*24*time.Hour)
	}
	between("budget.recurrence.soon", c.Budget.Recurrence.Soon, 0, time.Hour)
	all = append(all, service.WindowProblems(c.Maintenance)...)
	for _, p := range c.LLM.Problems() {
		add("llm."+p.Key, p.Value, p.Message)
	}
	return all
}

// short is 10m and not 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
