package healer

import (
	"context"
	"time"

	"logstream/healer/runbook"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/redact"
	"logstream/internal/text"
)

const logLine = 500 // bytes of a line that is searched for signs

// readLog is what was read of a container's output.
type readLog struct {
	lines     []string // those that were chosen, fit to be shown
	truncated bool     // lines were left out
	firstSeen []event.FirstSeen
	signs     []runbook.Signed
	missing   string // why there is none, or empty
	key       string // the line that says most; made once, each look at the service needs it
}

// readLogs reads the container's newest lines. Those that show a sign are of its
// present run, and not from before since.
func readLogs(ctx context.Context, l *life, service string, of container.State, since time.Time) readLog {
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	lines, err := l.deps.Runtime.Logs(ctx, of.ID, logTail)
	if err != nil {
		return readLog{missing: text.Clip(text.Line(err.Error()), maxMissing)}
	}
	secrets := secretsOf(l.deps, service)
	for i := range lines {
		lines[i].Text = redact.Known(lines[i].Text, secrets...)
	}
	out := l.memories.choose(service, lines, time.Now())
	out.signs = runbook.Signs(readable(newer(lines, later(of.StartedAt, since))))
	return out
}

// secretsOf are those of a service's check: the service may print what it is sent.
func secretsOf(deps Deps, service string) []string {
	for _, def := range deps.Services() {
		if def.Name == service {
			return def.Secrets()
		}
	}
	return nil
}

// newer are the lines that were written at t or after it. One without a time may
// be of any run.
func newer(lines []container.Line, t time.Time) []container.Line {
	var out []container.Line
	for _, line := range lines {
		if !line.Time.IsZero() && !line.Time.Before(t) {
			out = append(out, line)
		}
	}
	return out
}

// readable makes container output fit to be shown: it is hostile text, bounded,
// on one line, and without secrets.
func readable(lines []container.Line) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = text.Clip(redact.Text(text.Line(line.Text)), logLine)
	}
	return out
}
