package check

import (
	"context"
	"net/url"

	"logstream/internal/service"
)

// stateless is a check that keeps nothing from one check to the next: whether the
// server takes a new connection is a part of what it checks.
type stateless struct {
	target
	run func(context.Context, *progress) error
}

func statelessOf(def service.Definition, env Env, protocol, port string) stateless {
	return stateless{target: newTarget(def, env, protocol, port)}
}

func (c *stateless) Check(ctx context.Context) Observation { return c.check(ctx, c.run) }
func (c *stateless) Fresh()                                {}
func (c *stateless) Close()                                {}

// said is the reason that a server gives, as part of a sentence.
func (t target) said(reason string) string {
	if t.env.Discreet {
		return "for a reason not shown here"
	}
	return t.foreign(reason)
}

// noteAnswer is note for a part of an answer.
func (p *progress) noteAnswer(key, value string) {
	if !p.env.Discreet {
		p.note(key, value)
	}
}

// urlOf is the url of a definition that has no problems.
func urlOf(def service.Definition) *url.URL {
	u, err := url.Parse(def.URL)
	if err != nil {
		return &url.URL{}
	}
	return u
}
