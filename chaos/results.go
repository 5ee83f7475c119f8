package chaos

import (
	"context"
	"time"

	"logstream/internal/event"
	"logstream/internal/retry"
	"logstream/internal/text"
)

const (
	maxAnswers    = 256 // that wait to be written
	appendTimeout = 5 * time.Second
	firstRetry    = 200 * time.Millisecond
	lastRetry     = 5 * time.Second
	maxError      = 500 // bytes of a result's error
)

// result is the same record with a result, from the instance that executed it.
func (r *run) result(command event.Command, before string, err error) event.Command {
	command.Origin = r.origin
	command.Result = &event.CommandResult{OK: err == nil, Before: before}
	if err != nil {
		command.Result.Error = text.Clip(text.Line(err.Error()), maxError)
	}
	return command
}

// answer has the command's result written, without waiting for it.
func (r *run) answer(command event.Command, before string, err error) {
	select {
	case r.answers <- r.result(command, before, err):
	default: // Kafka has been unreachable for long; no client can read results meanwhile
		r.log.Error("command result dropped: too many wait for Kafka", "command", command.ID)
	}
}

// answerAll writes the results, in their order, one after the other.
func (r *run) answerAll(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			r.answerLast(ctx)
			return ctx.Err()
		case command := <-r.answers:
			if err := r.write(ctx, command); err != nil {
				r.answerLast(ctx, command)
				return err
			}
		}
	}
}

// answerLast writes results, and those that wait, once more when ctx has ended:
// without them a restart within maxAge would repeat what was done.
func (r *run) answerLast(ctx context.Context, results ...event.Command) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	for {
		for _, command := range results {
			if err := r.try(ctx, command.Service, event.Encode(command)); err != nil {
				r.log.Warn("command result not written: a restart may repeat the command", "command", command.ID, "error", err)
			}
		}
		select {
		case waiting := <-r.answers:
			results = []event.Command{waiting}
		default:
			return
		}
	}
}

// write repeats the record until it is acknowledged: twice the same result is
// one.
func (r *run) write(ctx context.Context, command event.Command) error {
	value, warned := event.Encode(command), false
	for tries := retry.NewBackoff(firstRetry, lastRetry); ; {
		if err := r.try(ctx, command.Service, value); err == nil {
			return nil
		} else if ctx.Err() == nil && !warned {
			r.log.Warn("command result not written yet; retrying", "command", command.ID, "error", err)
			warned = true
		}
		if !tries.Wait(ctx) {
			return ctx.Err()
		}
	}
}

func (r *run) try(ctx context.Context, key string, value []byte) error {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	return r.bus.Append(ctx, event.TopicCommands, key, value)
}
