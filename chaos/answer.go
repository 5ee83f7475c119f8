package chaos

import (
	"context"
	"time"

	"logstream/internal/event"
	"logstream/internal/retry"
	"logstream/internal/text"
)

const (
	maxAnswers    = 256 // that wait for the log
	appendTimeout = 5 * time.Second
	firstRetry    = 200 * time.Millisecond
	lastRetry     = 5 * time.Second
	maxError      = 500 // bytes of a result's error
)

// result is the same record with a result, from whoever carried it out.
func (r *run) result(command event.Command, err error) event.Command {
	command.Origin = r.origin
	command.Result = &event.CommandResult{OK: err == nil}
	if err != nil {
		command.Result.Error = text.Clip(text.Line(err.Error()), maxError)
	}
	return command
}

// answer has the command's result written, without waiting for it.
func (r *run) answer(command event.Command, err error) {
	select {
	case r.answers <- r.result(command, err):
	default: // the log has been away for long; nobody reads answers meanwhile
		r.log.Error("a command's result is not written: too many wait for the log", "command", command.ID)
	}
}

// answerAll writes the results, in their order, one after the other.
func (r *run) answerAll(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case command := <-r.answers:
			if err := r.write(ctx, command); err != nil {
				return err
			}
		}
	}
}

// write repeats the record until it is acknowledged: twice the same result is
// one.
func (r *run) write(ctx context.Context, command event.Command) error {
	value, told := event.Encode(command), false
	for tries := retry.NewBackoff(firstRetry, lastRetry); ; {
		if err := r.try(ctx, command.Service, value); err == nil {
			return nil
		} else if ctx.Err() == nil && !told {
			r.log.Warn("a command's result cannot be written yet", "command", command.ID, "error", err)
			told = true
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
