package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"logstream/bus"
	"logstream/internal/config"
	"logstream/internal/event"
	"logstream/internal/recording"
	"logstream/internal/redact"
)

// recordedLog is the file that record writes and replay reads.
var recordedLog = recording.Kind{Format: "logstream recording", Version: 1}

// recordedSpan is its first line.
type recordedSpan struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Host    string    `json:"host"`
	Version string    `json:"version"`
}

// recordedRecord is one record in it, redacted.
type recordedRecord struct {
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Time      time.Time       `json:"time"`
	Key       string          `json:"key,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"` // absent: a tombstone, or no JSON
	Text      string          `json:"text,omitempty"`  // a value that is no JSON
	Signed    bool            `json:"signed"`
}

// recordCommand writes the log of a time span into one file.
func recordCommand() *cobra.Command {
	cmd := newCommand("record", "Write the event log of a time span, redacted, into one file",
		"logstream record --out incident.jsonl.gz --since 2h\nlogstream record --out night.jsonl.gz --since 2026-03-01T02:00:00Z --until 2026-03-01T03:00:00Z")
	out := cmd.Flags().String("out", "", "the `file` to write (required); it must not exist")
	asJSON := jsonFlag(cmd)
	since := cmd.Flags().String("since", "1h", "start of the span: a `time` such as 2026-03-01T02:00:00Z, or how long ago, such as 2h")
	until := cmd.Flags().String("until", "0s", "end of the span: a `time`, or how long ago")
	_ = cmd.MarkFlagRequired("out") // it is a flag
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		now := time.Now()
		from, err := instantOf(*since, now)
		if err != nil {
			return usageFailure(cmd, "--since %v", err)
		}
		to, err := instantOf(*until, now)
		switch {
		case err != nil:
			return usageFailure(cmd, "--until %v", err)
		case !from.Before(to):
			return usageFailure(cmd, "--since %s must be before --until %s", *since, *until)
		}
		c, _, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		return record(cmd, c, *out, recordedSpan{from.UTC(), to.UTC(), c.Host, thisBuild().Version}, *asJSON)
	}
	return cmd
}

// instantOf reads an instant, or how long ago it was.
func instantOf(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("must be a duration such as 2h or a time such as 2026-03-01T02:00:00Z, not %s", quoted(text))
	}
	return at, nil
}

// record writes the file whole or not at all: it gets its name last.
func record(cmd *cobra.Command, c config.Config, out string, span recordedSpan, asJSON bool) error {
	if _, err := os.Lstat(out); err == nil {
		return startupFailure{fmt.Errorf("%s exists already; name another file", out)}
	}
	ctx, restore := untilSignal(cmd.Context())
	defer restore()
	reader, err := bus.OpenReader(ctx, c.Bus, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		if errors.As(err, new(*bus.StartError)) {
			return startupFailure{err}
		}
		return fmt.Errorf("%w; start Kafka, or correct bus.brokers in %s", err, configPath(cmd))
	}
	defer reader.Close()                                                       // it only read
	file, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*") // mode 0600
	if err != nil {
		return startupFailure{fmt.Errorf("write %s: %w", out, err)}
	}
	defer os.Remove(file.Name())
	defer file.Close() // its error is that of the Close below, or another one came first
	r := &logRecorder{secrets: secretsOf(c), before: map[string][]event.Record{}}
	err = r.write(file, span, func(topic string, since time.Time, each func(event.Record)) error {
		return reader.Read(ctx, topic, since, span.Until, each)
	})
	if err == nil {
		err = errors.Join(file.Sync(), file.Close())
	}
	if err == nil {
		err = os.Rename(file.Name(), out)
	}
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"file": out, "records": r.n, "since": span.Since, "until": span.Until})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s from %s to %s; to print them: logstream replay %[1]s\n",
		out, plural(r.n, "record"), span.Since.Local().Format(time.DateTime), span.Until.Local().Format(time.DateTime))
	return nil
}

// secretsOf are what must not be in the file, whatever it looks like. A short
// one would be found in every other word.
func secretsOf(c config.Config) []string {
	all := append(c.Dashboard.Secrets(), c.Bus.Secret, c.Bus.SASL.Password)
	if kept, err := os.ReadFile(filepath.Join(c.Bus.Embedded.Data, "secret")); err == nil {
		all = append(all, strings.TrimSpace(string(kept)))
	}
	for _, s := range c.Services {
		all = append(all, s.Secrets()...)
		for _, command := range s.Heal.Commands {
			all = append(all, redact.OfArguments(command.Args)...)
		}
	}
	for _, hook := range c.Hooks {
		all = append(all, hook.Token)
	}
	all = append(all, redact.OfArguments([]string{c.Healer.LLM.URL})...)
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < 6 })
}

// logRecorder writes records, redacted.
type logRecorder struct {
	secrets []string
	to      *recording.Writer
	n       int
	err     error                     // the first
	before  map[string][]event.Record // of incidents that were open when the span began, by id
}

// write writes the whole file. read reads a topic from an instant on.
func (r *logRecorder) write(file io.Writer, span recordedSpan, read func(topic string, since time.Time, each func(event.Record)) error) error {
	packed := gzip.NewWriter(file)
	var err error
	if r.to, err = recording.NewWriter(packed, recordedLog, span); err != nil {
		return err
	}
	for _, topic := range bus.Topics {
		since, each := span.Since, r.put
		if topic == event.TopicIncidents {
			since, each = time.Time{}, func(record event.Record) { r.incident(record, span.Since) }
		}
		if err := errors.Join(read(topic, since, each), r.err); err != nil {
			return err
		}
	}
	return errors.Join(r.to.Close(), packed.Close())
}

// incident writes the events of the span, and of what stands before it the
// claims, without which no event counts, and the beginning of each incident that
// goes on in the span.
func (r *logRecorder) incident(record event.Record, since time.Time) {
	e, err := event.DecodeIncident(record.Value)
	switch {
	case err != nil:
		if !record.Time.Before(since) {
			r.put(record)
		}
	case e.Type == event.TypeClaim:
		r.put(record)
	case !record.Time.Before(since):
		for _, earlier := range r.before[e.ID] {
			r.put(earlier)
		}
		delete(r.before, e.ID)
		r.put(record)
	case e.Type == event.TypeResolved:
		delete(r.before, e.ID)
	default:
		r.before[e.ID] = append(r.before[e.ID], record)
	}
}

func (r *logRecorder) put(record event.Record) {
	if r.err != nil {
		return
	}
	hidden := func(text []byte) string {
		return redact.Known(redact.Text(strings.ToValidUTF8(string(text), "\uFFFD")), r.secrets...)
	}
	line := recordedRecord{Topic: record.Topic, Partition: record.Partition, Offset: record.Offset, Time: record.Time.UTC(),
		Key: hidden(record.Key), Signed: record.Signed}
	if masked, err := redact.JSON(record.Value, r.secrets...); err == nil {
		line.Value = masked
	} else {
		line.Text = hidden(record.Value)
	}
	r.n++
	r.err = r.to.Write(line)
}
