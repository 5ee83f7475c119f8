package main

import (
	"context"
	"errors"
	"fmt"

	"logstream/bus"
	"logstream/dashboard"
	"logstream/internal/config"
	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/notify"
)

// newNotifier is a notifier as c wants it.
func (a *app) newNotifier(c config.Config) (*notify.Notifier, error) {
	key, err := bus.ReadSecret(c.Bus)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	notifier, err := notify.New(notify.Deps{
		Config: c.Notify, Log: wrapLog(health.Notify, a.bus), Identity: a.identity, PublicURL: c.Dashboard.PublicURL, Key: key,
		Owner:   func() (event.Origin, bool) { return a.healer.now().Owner() },
		Healthy: a.heals, Health: a.registry, Logger: a.log,
	})
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return notifier, nil
}

// heals says why nothing is repaired by this instance now, or nil.
func (a *app) heals(ctx context.Context) error {
	if err := a.bus.Ready(ctx); err != nil {
		return err
	}
	if p, is := a.registry.Get(health.Healer); is {
		return errors.New(p.What)
	}
	return nil
}

// receivers are those of notifications.
func (a *app) receivers() []dashboard.Receiver {
	all := []dashboard.Receiver{}
	for _, r := range a.notifier.now().Receivers() {
		all = append(all, dashboard.Receiver(r))
	}
	return all
}

// testNotifications sends test messages for the dashboard.
func (a *app) testNotifications(ctx context.Context, receiver string) ([]dashboard.Notified, error) {
	results, err := a.notifier.now().Test(ctx, receiver)
	switch {
	case errors.Is(err, notify.ErrUnknownReceiver):
		return nil, dashboard.NotFoundError{Why: err.Error()}
	case err != nil:
		return nil, err
	}
	all := []dashboard.Notified{}
	for _, r := range results {
		all = append(all, dashboard.Notified(r))
	}
	return all, nil
}
