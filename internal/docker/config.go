package docker

import (
	"slices"
	"strings"

	"logstream/internal/nearest"
	"logstream/internal/service"
)

// Config is where the engine is, and which of its containers are monitored
// without an entry in services.
type Config struct {
	Host     string   `yaml:"host"` // empty: DOCKER_HOST, the current context, or the first standard socket that exists
	Discover Discover `yaml:"discover"`
}

// Discover says which containers are found by themselves.
type Discover string

// What is discovered.
const (
	DiscoverOff      Discover = "off"
	DiscoverLabelled Discover = "labelled" // those with a label logstream.…
	DiscoverAll      Discover = "all"      // every container; one without labels is never repaired
)

// Default is a Config before anything is configured.
func Default() Config { return Config{Discover: DiscoverOff} }

// Problems are all that is wrong with c; nil where nothing is.
func (c Config) Problems() []service.Problem {
	known := []string{string(DiscoverOff), string(DiscoverLabelled), string(DiscoverAll)}
	if slices.Contains(known, string(c.Discover)) {
		return nil
	}
	return []service.Problem{{Key: "discover", Value: string(c.Discover), Suggestion: nearest.Of(string(c.Discover), known),
		Message: "is not a way to discover containers; use one of " + strings.Join(known, ", ")}}
}
