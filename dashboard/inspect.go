package dashboard

import (
	"context"
	"net/http"
	"time"

	"logstream/internal/container"
	"logstream/internal/text"
)

// inspectionKept is how long one inspection answers all requests: to measure the CPU
// takes half a second.
const inspectionKept = 3 * time.Second

// Inspection is a container as it is now.
type Inspection struct {
	State container.State
	Use   *container.Stats // nil: it does not run, or this cannot be read
}

// containerAnswer is a container as the API shows it. Sizes are bytes, and a
// limit of 0 is none.
type containerAnswer struct {
	Name          string             `json:"name"`
	ID            string             `json:"id"`
	Image         string             `json:"image"`
	ImageID       string             `json:"image_id"`
	State         container.Status   `json:"state"`
	Health        container.Health   `json:"health"` // by its own HEALTHCHECK; empty: it has none
	StartedAt     *time.Time         `json:"started_at"`
	FinishedAt    *time.Time         `json:"finished_at"`
	ExitCode      int                `json:"exit_code"` // of its last end
	OOMKilled     bool               `json:"oom_killed"`
	Error         string             `json:"error"`          // of its last start, where that failed
	RestartPolicy string             `json:"restart_policy"` // no, on-failure, always or unless-stopped
	RestartLimit  int                `json:"restart_limit"`  // of on-failure
	RestartCount  int                `json:"restart_count"`  // by that policy, since it was last started in another way
	MemoryLimit   int64              `json:"memory_limit"`
	CPULimit      float64            `json:"cpu_limit"` // in cores
	Networks      []containerNetwork `json:"networks"`
	Use           *containerUse      `json:"use"` // null: it does not run, or this cannot be read
}

// containerNetwork is a network that a container is attached to.
type containerNetwork struct {
	Name    string `json:"name"`
	Address string `json:"address"` // empty while it does not run
}

// containerUse is what a running container uses, read once.
type containerUse struct {
	Memory    int64   `json:"memory"` // bytes, without the page cache that can be given back
	CPUs      float64 `json:"cpus"`   // cores, over the last half second
	Throttled float64 `json:"throttled"`
	PIDs      int64   `json:"pids"`
	PIDLimit  int64   `json:"pid_limit"`
}

func (r *run) getContainer(w http.ResponseWriter, req *http.Request) {
	ref, is := r.containerOf(w, req, r.deps.Inspect != nil)
	if !is {
		return
	}
	of, err := r.inspections.get(ref, func(ctx context.Context) (Inspection, error) { return r.deps.Inspect(ctx, ref) })
	if err != nil {
		r.failRead(w, req, ref, "the container", err)
		return
	}
	reply(w, http.StatusOK, inspected(of))
}

func inspected(of Inspection) containerAnswer {
	c := of.State
	answer := containerAnswer{
		Name: c.Name, ID: c.ID, Image: c.Image, ImageID: c.ImageID, State: c.Status, Health: c.Health,
		StartedAt: known(c.StartedAt), FinishedAt: known(c.FinishedAt), ExitCode: c.ExitCode, OOMKilled: c.OOMKilled, Error: text.Line(c.Error),
		RestartPolicy: c.RestartPolicy, RestartLimit: c.RestartLimit, RestartCount: c.RestartCount,
		MemoryLimit: c.Memory, CPULimit: c.CPUs, Networks: []containerNetwork{},
	}
	if answer.RestartPolicy == "" {
		answer.RestartPolicy = "no"
	}
	for _, n := range c.Networks {
		answer.Networks = append(answer.Networks, containerNetwork{n.Name, n.Address})
	}
	if u := of.Use; u != nil {
		answer.Use = &containerUse{Memory: u.Memory, CPUs: u.CPUs, Throttled: u.Throttled, PIDs: u.PIDs, PIDLimit: u.PIDLimit}
	}
	return answer
}

// known is a time, or nil where there is none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
