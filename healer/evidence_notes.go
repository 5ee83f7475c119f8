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
	neighboursShown = 3  // of the other services that are DOWN, by name; more are counted alone
	unchanged       = "Unchanged since the service was last healthy."

	imageKey = "image id" // "image" is the fact of its name
	specKey  = "configuration hash"
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
		fact.Why = "Its last output: " + text.Clip(redact.Text(said), keyLine)
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
		list = append(list, event.Fact{Key: "networks before", Value: cmp.Or(before, "none"), Why: "The service was last healthy on these networks."})
	}
	return list
}

// networkNames are networks with the aliases in them, sorted: "db (aliases: store), shop".
func networkNames(networks []event.Network) string {
	names := make([]string, len(networks))
	for i, n := range networks {
		if names[i] = n.Name; len(n.Aliases) > 0 {
			names[i] += " (aliases: " + strings.Join(slices.Sorted(slices.Values(n.Aliases)), ", ") + ")"
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
		return []event.Fact{{Key: "last healthy state", Value: "none: the service has not been healthy since LogStream began to monitor it"}}
	}
	when := changedAt(v)
	var list []event.Fact
	compare := func(key, now, before, why string) {
		list = append(list, event.Fact{Key: key + " before", Value: before, Why: why}, event.Fact{Key: key, Value: now, Why: when})
	}
	switch {
	case f.Updated:
		when = ""
		compare(imageKey, named(c.Image, c.ImageID), named(good.PreviousImage, good.PreviousImageID), "The service was healthy with this image until "+good.ImageSince.UTC().Format(time.RFC3339)+".")
	case differ(good.ImageID, c.ImageID):
		compare(imageKey, named(c.Image, c.ImageID), named(good.Image, good.ImageID), "The service was last healthy with this image.")
	case c.ImageID != "":
		list = append(list, event.Fact{Key: imageKey, Value: named(c.Image, c.ImageID), Why: unchanged})
	}
	if differ(good.SpecHash, c.SpecHash) {
		compare(specKey, shortDigest(c.SpecHash), shortDigest(good.SpecHash), "The service was last healthy with this configuration.")
	} else if c.SpecHash != "" {
		list = append(list, event.Fact{Key: specKey, Value: shortDigest(c.SpecHash), Why: unchanged})
	}
	return list
}

// named is an image as people see it: "shop:2 (9f86d081884c)".
func named(image, id string) string {
	if image == "" {
		return shortDigest(id)
	}
	return fmt.Sprintf("%s (%s)", image, shortDigest(id))
}

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
		return "The container was recreated with it at " + created.Time.UTC().Format(time.RFC3339) + "."
	case !c.StartedAt.IsZero():
		return "The change was made before the container's last start at " + c.StartedAt.UTC().Format(time.RFC3339) + "."
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
	switch n, names := p.DownBeside(v.Def.Name, neighboursShown); {
	case n == 0:
		return []event.Fact{{Key: "other services", Value: fmt.Sprintf("0 of %d DOWN", others)}}
	case n > neighboursShown:
		return []event.Fact{{Key: "other services", Value: fmt.Sprintf("%d of %d DOWN", n, others)}}
	default:
		return []event.Fact{{Key: "other services", Value: fmt.Sprintf("%d of %d DOWN: %s", n, others, strings.Join(names, ", "))}}
	}
}

// shortDigest is an image's id, or a hash, as people see it.
func shortDigest(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), shortID)]
}
