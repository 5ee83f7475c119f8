// Package hook reads what other monitors send when something fails or recovers,
// and makes observations of a foreign source of it. It decides nothing, does no
// I/O and has no clock of its own.
//
// What holds of it:
//
//   - A body is hostile: its parts are bounded, what is not known is skipped,
//     and what can't become an observation is left out with the reason.
//   - The source of an observation is the hook's name and its check: no body
//     can choose the first, so none passes for an observation of ours.
//   - What a sender says once holds until it says otherwise, for a bounded time:
//     Repeats.
package hook

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"logstream/internal/event"
	"logstream/internal/nearest"
	"logstream/internal/service"
)

// The kinds of senders.
const (
	Alertmanager = "alertmanager"
	Gatus        = "gatus"
	UptimeKuma   = "uptime-kuma"
	Generic      = "generic"
)

// Kinds are all kinds; each is the last part of its address.
var Kinds = []string{Alertmanager, Gatus, UptimeKuma, Generic}

// Config is one sender.
type Config struct {
	Name      string `yaml:"name"`       // the instance of its observations
	Kind      string `yaml:"kind"`       // alertmanager, gatus, uptime-kuma or generic
	Token     string `yaml:"token"`      // what it must send; 16 characters or more
	TokenFile string `yaml:"token_file"` // a file with the token, instead
	Services  Names  `yaml:"services"`   // our name of a service by the sender's, where they differ
}

// Names are our names of services by a sender's.
type Names map[string]string

// UnmarshalYAML reads a section of names.
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	read := map[string]string{}
	if node.Kind != yaml.MappingNode || node.Decode(&read) != nil {
		return fmt.Errorf("must be a section such as {their name: our name}")
	}
	for theirs, ours := range read {
		if err := event.CheckServiceName(ours); err != nil {
			return fmt.Errorf("maps %q to a name that is not valid: %w", theirs, err)
		}
	}
	*n = read
	return nil
}

const minToken = 16 // characters

// instance is what may be the name of a source.
var instance = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Problems are all that is wrong with c; nil where nothing is.
func (c Config) Problems() []service.Problem {
	var all []service.Problem
	if !instance.MatchString(c.Name) {
		all = append(all, service.Problem{Key: "name", Value: c.Name,
			Message: "must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or a digit"})
	}
	if !slices.Contains(Kinds, c.Kind) {
		all = append(all, service.Problem{Key: "kind", Value: c.Kind, Suggestion: nearest.Of(c.Kind, Kinds),
			Message: "is not a kind of hook; use one of " + strings.Join(Kinds, ", ")})
	}
	switch {
	case c.Token == "":
		all = append(all, service.Problem{Key: "token", Message: "is missing: without it anyone who can reach the dashboard could report failures; create one with openssl rand -hex 16"})
	case len(c.Token) < minToken || strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		all = append(all, service.Problem{Key: "token", Value: "***", Message: fmt.Sprintf("must be %d or more printable characters without spaces", minToken)})
	}
	return all
}

// Find is the hook of that kind whose token was given. Every hook is compared,
// each in constant time, whatever the length.
func Find(hooks []Config, kind, token string) (Config, bool) {
	given, found := sha256.Sum256([]byte(token)), -1
	for i, c := range hooks {
		own := sha256.Sum256([]byte(c.Token))
		if subtle.ConstantTimeCompare(own[:], given[:]) == 1 && c.Kind == kind && c.Token != "" {
			found = i
		}
	}
	if found < 0 {
		return Config{}, false
	}
	return hooks[found], true
}
