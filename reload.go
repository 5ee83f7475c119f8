package main

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"

	"logstream/internal/config"
)

// refused is a configuration with which the parts could not be opened.
type refused struct {
	config config.Config
	why    string
}

// reload puts an edited configuration in use, and ends only what it changes:
// services are taken over by the parts as they run; the healer, the dashboard and
// the notifier are replaced by new ones; what is under all of them, such as Kafka's address
// or the engine's, has every part opened again. An error says why the
// configuration cannot be used; nothing is changed then.
func (a *app) reload(next config.Config) (refused error) {
	page := []string{"dashboard", "hooks"} // sections that the dashboard is made of
	replaced := func(section string) bool {
		return section == "services" || section == "defaults" || section == "healer" || section == "notify" || slices.Contains(page, section)
	}
	sections := a.config.Changed(next)
	if slices.ContainsFunc(sections, func(s string) bool { return !replaced(s) }) {
		a.restart <- next
		return nil
	}
	if slices.Contains(sections, "notify") || slices.Contains(sections, "dashboard") { // which has the address that messages link to
		notifier, err := a.newNotifier(next)
		if err != nil {
			return err
		}
		defer func() {
			if refused == nil {
				a.notifier.replace(notifier)
			}
		}()
	}
	if slices.ContainsFunc(sections, func(s string) bool { return s == "healer" || slices.Contains(page, s) }) {
		if err := a.replace(next, slices.Contains(sections, "healer")); err != nil {
			return err
		}
	}
	if slices.Contains(sections, "services") || slices.Contains(sections, "defaults") {
		a.configure(next.Services, next.Defaults)
	}
	a.config = next
	return nil
}

// replace makes the dashboard, and where it changed the healer, anew: what the
// healer may do is shown on the dashboard.
func (a *app) replace(next config.Config, heals bool) error {
	heal, model, err := a.newHealer(next)
	if err != nil {
		return err
	}
	moves := next.Dashboard.Listen != a.config.Dashboard.Listen
	if !moves {
		next.Dashboard.Listen = withPort(next.Dashboard.Listen, a.address)
	}
	page, err := a.newDashboard(next, model)
	if err != nil {
		return err
	}
	if moves {
		if err := page.Listen(); err != nil {
			return err
		}
		a.address = page.Addr()
	}
	if heals {
		a.healer.replace(heal)
	}
	a.dashboard.replace(page)
	return nil
}

// withPort is an address with the port of the one that it got, where it leaves
// the port open: a page that takes the place of another stays where that was.
func withPort(listen, got string) string {
	host, port, _ := net.SplitHostPort(listen)
	_, same, err := net.SplitHostPort(got)
	if n, _ := strconv.Atoi(port); n != 0 || err != nil {
		return listen
	}
	return net.JoinHostPort(host, same)
}

// actor is a part that runs.
type actor interface {
	Run(ctx context.Context) error
}

// replaceable is an actor that another one may take the place of while it runs.
type replaceable[A actor] struct {
	mu      sync.Mutex
	current A
	end     context.CancelFunc // of the current one's run; nil: it does not run
}

// now is the current one.
func (r *replaceable[A]) now() A {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// replace has next run as soon as the current one has ended.
func (r *replaceable[A]) replace(next A) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = next
	if r.end != nil {
		r.end()
	}
}

// Run runs the current one, and after it whatever took its place, until ctx
// ends or one of them returns by itself.
func (r *replaceable[A]) Run(ctx context.Context) error {
	for {
		life, end := context.WithCancel(ctx)
		err := r.begin(end).Run(life)
		replaced := life.Err() != nil && ctx.Err() == nil
		end()
		if !replaced {
			return err
		}
	}
}

// begin is the one to run now, which end ends.
func (r *replaceable[A]) begin(end context.CancelFunc) A {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end = end
	return r.current
}
