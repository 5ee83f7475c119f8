package healer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"logstream/healer/history"
	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

const (
	shortID         = 12 // of an image's digest or of a specification's hash, as people see it
	neighboursShown = 3  // of the other services that are DOWN, by name
	unchanged       = "It is the same as when the service was last healthy."
)

// notes are what a person wants to see beside the facts, and nothing decides by.
func notes(v View, f runbook.Facts) []event.Fact {
	list := append(healthcheck(v), networksBeside(v, f)...)
	list = append(list, changes(v, f)...)
	if missing := v.Inspection.logs.missing; missing != "" {
		list = append(list, event.Fact{Key: runbook.WhatLog, Value: "not available: " + missing})
	}
	return slices.Concat(list, neighbours(v), v.Around.earlier)
}

// healthcheck is what the container's own HEALTHCHECK says, and what it printed
// last: hostile text.
func healthcheck(v View) []event.Fact {
	c := v.Inspection.state
	if c.Health == "" {
		return nil
	}
	fact := event.Fact{Key: "HEALTHCHECK", Value: string(c.Health)}
	if said := text.Line(redact.Known(c.HealthOutput, v.Def.Secrets()...)); said != "" {
		fact.Why = "It printed: " + text.Clip(redact.Text(said), keyLine)
	}
	return []event.Fact{fact}
}

// networksBeside are the container's networks beside those that it was last healthy
// with, where they differ.
func networksBeside(v View, f runbook.Facts) []event.Fact {
	c, good := v.Inspection.state, v.Target.Good
	now := make([]event.Network, len(c.Networks))
	for i, n := range c.Networks {
		now[i] = event.Network{Name: n.Name, Aliases: n.Aliases}
	}
	var list []event.Fact
	names := networkNames(now)
	if names != "" && len(f.NetworksLost) == 0 {
		list = append(list, event.Fact{Key: "networks", Value: names})
	}
	if good == nil || c.NetworkOf != "" || c.Status != container.Running {
		return list
	}
	if before := networkNames(good.Networks); before != names {
		list = append(list, event.Fact{Key: "networks before", Value: cmp.Or(before, "none"), Why: "It was healthy with them."})
	}
	return list
}

// networkNames are networks with the aliases in them, sorted: "db (store), shop".
func networkNames(networks []event.Network) string {
	names := make([]string, len(networks))
	for i, n := range networks {
		if names[i] = n.Name; len(n.Aliases) > 0 {
			names[i] += " (" + strings.Join(slices.Sorted(slices.Values(n.Aliases)), " ") + ")"
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// changes are the image and the configuration beside those that the service was last
// healthy with, and when they changed.
func changes(v View, f runbook.Facts) []event.Fact {
	c, good := v.Inspection.state, v.Target.Good
	if good == nil {
		return []event.Fact{{Key: "healthy state", Value: "not available: the service was not seen healthy yet"}}
	}
	when := changedAt(v)
	var list []event.Fact
	compare := func(key, now, before, why string) {
		list = append(list, event.Fact{Key: key + " before", Value: before, Why: why}, event.Fact{Key: key + " now", Value: now, Why: when})
	}
	switch {
	case f.Updated:
		when = ""
		compare("image", shortDigest(c.ImageID), named(good.PreviousImage, good.PreviousImageID), "It was healthy with it until "+good.ImageSince.UTC().Format(time.RFC3339)+".")
	case differ(good.ImageID, c.ImageID):
		compare("image", shortDigest(c.ImageID), named(good.Image, good.ImageID), "It was healthy with it.")
	case c.ImageID != "":
		list = append(list, event.Fact{Key: "image id", Value: shortDigest(c.ImageID), Why: unchanged})
	}
	if differ(good.SpecHash, c.SpecHash) {
		compare("configuration", shortDigest(c.SpecHash), shortDigest(good.SpecHash), "It was healthy with it.")
	} else if c.SpecHash != "" {
		list = append(list, event.Fact{Key: "configuration", Value: shortDigest(c.SpecHash), Why: unchanged})
	}
	return list
}

func named(image, id string) string { return fmt.Sprintf("%s (%s)", image, shortDigest(id)) }

// changedAt is when the container was made that differs from the healthy one, as a
// sentence; empty where that is not known.
func changedAt(v View) string {
	c, good := v.Inspection.state, v.Target.Good
	if good.ContainerID == c.ID {
		return ""
	}
	created, known := v.History.Last(func(_ int, e history.Event) bool { return e.ID == c.ID }, "create")
	switch {
	case known:
		return "It changed at " + created.Time.UTC().Format(time.RFC3339) + ", when the container was created anew."
	case !c.StartedAt.IsZero():
		return "It changed before " + c.StartedAt.UTC().Format(time.RFC3339) + ", when the container was started."
	}
	return ""
}

// neighbours are the other services of this host that are DOWN.
func neighbours(v View) []event.Fact {
	p := v.Around.neighbours
	others := p.Members - 1
	if others < 1 {
		return nil
	}
	down := slices.DeleteFunc(slices.Clone(p.Down), func(name string) bool { return name == v.Def.Name })
	if len(down) == 0 {
		return []event.Fact{{Key: "other services", Value: fmt.Sprintf("none of %d DOWN", others)}}
	}
	shown := strings.Join(down[:min(len(down), neighboursShown)], ", ")
	if more := len(down) - neighboursShown; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return []event.Fact{{Key: "other services", Value: fmt.Sprintf("%d of %d DOWN: %s", len(down), others, shown)}}
}

// shortDigest is an image's id, or a hash, as people see it.
func shortDigest(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), shortID)]
}
