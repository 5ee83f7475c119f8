package gameday

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/retry"
)

const (
	pollEvery   = 200 * time.Millisecond // between two reads of the API
	injectLimit = time.Minute            // for the result of one injection, or undo
)

// API is what of the HTTP API's client is used here. Paths are below /api/v1,
// part by part.
type API interface {
	Get(ctx context.Context, path []string, query url.Values, into any) error
	// Command sends a command and waits for its result. ErrRefused where it was
	// answered that nothing was done.
	Command(ctx context.Context, path []string, body any) error
}

const ended = "the game day was ended"

// ErrRefused: the API, or the instance that executes commands, refused.
var ErrRefused = errors.New("refused")

// Day is a game day.
type Day struct {
	API    API
	Window time.Duration // nothing is injected after it
	Limit  time.Duration // for the repair of one fault; then it is undone
	// Report is called with each result, and with what is waited for.
	Report func(Result)
}

type info struct {
	Version  string `json:"version"`
	Instance string `json:"instance"`
	Host     string `json:"host"`
	Held     string `json:"held"`
}

type incident struct {
	ID       string   `json:"id"`
	State    string   `json:"state"`
	How      string   `json:"how"`
	Cause    string   `json:"cause"`
	Past     string   `json:"cause_past"`
	Action   string   `json:"action"`
	Attempts int      `json:"attempts"`
	Held     string   `json:"held"`
	DownMS   *float64 `json:"down_ms"`
}

// Read gets from the API what Plan needs.
func (d *Day) Read(ctx context.Context) ([]Service, []Fault, error) {
	var services []Service
	var faults []Fault
	if err := d.API.Get(ctx, []string{"services"}, nil, &services); err != nil {
		return nil, nil, err
	}
	return services, faults, d.API.Get(ctx, []string{"chaos"}, nil, &faults)
}

// Run injects what the plan has, one after another: only while all of its
// services are UP and nothing is held. What was not healed is undone, also when
// ctx ends. An error says that there is no report.
func (d *Day) Run(ctx context.Context, plan []Injection) (*Report, error) {
	r := &Report{Started: time.Now().UTC(), Results: []Result{}}
	var i info
	if err := d.API.Get(ctx, []string{"info"}, nil, &i); err != nil {
		return nil, err
	}
	r.Host, r.Instance, r.Version = i.Host, i.Instance, i.Version
	for _, p := range plan {
		if !slices.Contains(r.Services, p.Service) {
			r.Services = append(r.Services, p.Service)
		}
	}
	window, closeWindow := context.WithDeadline(ctx, r.Started.Add(d.Window))
	defer closeWindow()
	for _, p := range plan {
		result := Result{Service: p.Service, Fault: p.Fault.Name, Does: p.Fault.Does}
		if why := d.calm(window, r.Services); why != "" {
			result.Outcome, result.Why = Skipped, why
		} else {
			d.inject(ctx, p, &result)
		}
		r.Results = append(r.Results, result)
		if d.Report != nil {
			d.Report(result)
		}
	}
	r.Ended = time.Now().UTC()
	r.conclude()
	return r, nil
}

// calm waits until all services are UP and nothing is held, and says why it
// gave up.
func (d *Day) calm(ctx context.Context, services []string) string {
	why := "the window was over"
	for {
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return ended
		case ctx.Err() != nil:
			return why
		}
		now, err := d.unrest(ctx, services)
		switch {
		case err == nil && now == "":
			return ""
		case err == nil:
			why = "the window ended while " + now
		case ctx.Err() == nil:
			why = err.Error()
		}
		pause(ctx)
	}
}

// unrest says why nothing may be injected now, or "".
func (d *Day) unrest(ctx context.Context, names []string) (string, error) {
	var i info
	var services []Service
	if err := errors.Join(d.API.Get(ctx, []string{"info"}, nil, &i), d.API.Get(ctx, []string{"services"}, nil, &services)); err != nil {
		return "", err
	}
	if i.Held != "" {
		return "repairs were on hold: " + i.Held, nil
	}
	for _, name := range names {
		at := slices.IndexFunc(services, func(s Service) bool { return s.Name == name })
		switch {
		case at < 0:
			return fmt.Sprintf("%s was no longer monitored", name), nil
		case services[at].Held != "":
			return fmt.Sprintf("%s was held by gate %q", name, services[at].Held), nil
		case services[at].Status != "UP":
			return fmt.Sprintf("%s was %s", name, services[at].Status), nil
		case services[at].OpenIncident != nil:
			return fmt.Sprintf("the incident of %s was open", name), nil
		}
	}
	return "", nil
}

// inject injects one fault, waits for its repair, and undoes what is left.
func (d *Day) inject(ctx context.Context, p Injection, result *Result) {
	before, err := d.incidents(ctx, p.Service)
	if err == nil {
		now := time.Now().UTC()
		if err = d.command(ctx, p, false); err == nil || ctx.Err() != nil {
			result.Injected = &now
		}
	}
	switch {
	case ctx.Err() != nil && result.Injected != nil:
		result.Outcome, result.Why = Interrupted, ended
	case err != nil:
		result.Outcome, result.Why = NotInjected, err.Error()
		// A call without an answer may have done it; one with an answer has not.
		if errors.Is(err, ErrRefused) {
			return
		}
	default:
		d.await(ctx, p, before, result)
	}
	if (result.Outcome == Healed || result.Outcome == Recovered) && !p.Fault.stays() {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), injectLimit)
	defer cancel()
	if err := d.command(last, p, true); err != nil {
		if result.Outcome == Healed || result.Outcome == Recovered {
			result.Outcome = NotHealed // what caused it is still there
		}
		result.Why = strings.TrimPrefix(result.Why+"; the undo failed: "+err.Error(), "; ")
		return
	}
	result.Undone = true
}

// await waits for the incident of a fault, and for its end.
func (d *Day) await(ctx context.Context, p Injection, before []incident, result *Result) {
	limited, cancel := context.WithTimeout(ctx, d.Limit)
	defer cancel()
	result.Outcome, result.Why = NotHealed, fmt.Sprintf("no incident within %s", d.Limit)
	for pause(limited) {
		all, err := d.incidents(limited, p.Service)
		if err != nil {
			continue // the limit bounds it
		}
		at := slices.IndexFunc(all, func(in incident) bool {
			return !slices.ContainsFunc(before, func(old incident) bool { return old.ID == in.ID })
		})
		if at < 0 {
			continue
		}
		in := all[at]
		result.Incident, result.Cause, result.Action, result.How = in.ID, cmp.Or(in.Past, in.Cause), in.Action, in.How
		result.Attempts, result.DownMS = in.Attempts, in.DownMS
		switch in.State {
		case "resolved":
			result.Outcome, result.Why = ending(in.How)
			return
		case "escalated":
			result.Why = "a person was called"
			return
		}
		result.Why = fmt.Sprintf("the incident was open after %s", d.Limit)
		if in.Held != "" {
			result.Why += fmt.Sprintf(", held by gate %q", in.Held)
		}
	}
	if ctx.Err() != nil {
		result.Outcome, result.Why = Interrupted, ended
	}
}

// ending is what the end of an incident says of its fault: that the service is UP
// again shows no repair. Docker's restart policy may have started it, or a person.
func ending(how string) (Outcome, string) {
	switch how {
	case event.HowHealed:
		return Healed, ""
	case event.HowRecovered:
		return Recovered, ""
	}
	return NotHealed, "an operator closed the incident"
}

// incidents are the newest of a service.
func (d *Day) incidents(ctx context.Context, service string) ([]incident, error) {
	var all []incident
	return all, d.API.Get(ctx, []string{"incidents"}, url.Values{"limit": {"5"}, "service": {service}}, &all)
}

func (d *Day) command(ctx context.Context, p Injection, undo bool) error {
	ctx, cancel := context.WithTimeout(ctx, injectLimit)
	defer cancel()
	return d.API.Command(ctx, []string{"services", p.Service, "chaos"}, map[string]any{"fault": p.Fault.Name, "undo": undo})
}

// pause waits for the next read, and says whether ctx has not ended.
func pause(ctx context.Context) bool {
	return retry.Sleep(ctx, pollEvery) && ctx.Err() == nil
}
