package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"logstream/internal/event"
	"logstream/internal/recording"
)

// replayCommand prints what happened in a recorded time span, and why. It decides
// nothing: what it prints was decided then.
func replayCommand() *cobra.Command {
	cmd := newCommand("replay FILE", "Print what happened in a recorded time span, with the reason for each decision",
		"logstream replay incident.jsonl.gz")
	cmd.ValidArgsFunction = nil // a file
	asJSON := cmd.Flags().Bool("json", false, "print JSON, one valid incident event per line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		span, records, err := readRecording(args[0])
		if err != nil {
			return startupFailure{fmt.Errorf("%s: %w", args[0], err)}
		}
		p := &replayPrinter{out: cmd.OutOrStdout(), color: consoleOf(cmd.OutOrStdout(), cmd.ErrOrStderr()).color, json: *asJSON, hosts: map[string]*sentences{}}
		p.printAll(span, records)
		return nil
	}
	return cmd
}

// readRecording reads a whole file. An error names the line.
func readRecording(path string) (recordedSpan, []recordedRecord, error) {
	var span recordedSpan
	file, err := os.Open(path)
	if err != nil {
		// Without the path, which the caller has.
		return span, nil, fmt.Errorf("the recording cannot be opened: %w; give a file that logstream record has written", errors.Unwrap(err))
	}
	defer file.Close()
	r, err := recording.NewReader(file, recordedLog, &span)
	if err != nil {
		return span, nil, err
	}
	var all []recordedRecord
	for {
		raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			return span, all, nil
		}
		if err != nil {
			return span, nil, err
		}
		var record recordedRecord
		if err := json.Unmarshal(raw, &record); err != nil || record.Topic == "" {
			return span, nil, r.Wrong(errors.New("is not a record"))
		}
		all = append(all, record)
	}
}

// replayPrinter prints the decisions of a recording as the console prints them
// while they are made, each with its reason.
type replayPrinter struct {
	out   io.Writer
	color bool
	json  bool
	hosts map[string]*sentences
	n     int // sentences
}

func (p *replayPrinter) printAll(span recordedSpan, records []recordedRecord) {
	// Topics stand one behind the other, and clocks of brokers are good enough
	// to put them side by side.
	slices.SortStableFunc(records, func(a, b recordedRecord) int { return a.Time.Compare(b.Time) })
	if !p.json {
		fmt.Fprintf(p.out, "%s of %s, %s to %s. Times are local.\n\n", plural(len(records), "record"), cmp.Or(span.Host, "unknown"),
			span.Since.Local().Format(time.DateTime), span.Until.Local().Format(time.DateTime))
	}
	unsigned := 0
	for _, record := range records {
		if record.Topic != event.TopicServices && record.Topic != event.TopicIncidents {
			continue
		}
		if !record.Signed {
			unsigned++
			continue
		}
		p.record(record)
	}
	if p.json {
		return
	}
	if p.n == 0 {
		fmt.Fprintln(p.out, "No incidents recorded, and no service changed its status.")
	}
	if unsigned > 0 {
		fmt.Fprintf(p.out, "\n%s without LogStream's signature changed nothing.\n", plural(unsigned, "record"))
	}
}

// record prints what a record says. One that cannot be read says nothing, as
// then.
func (p *replayPrinter) record(record recordedRecord) {
	if record.Topic == event.TopicServices {
		if s, err := event.DecodeService(record.Value); err == nil && !p.json {
			p.print(p.host(s.Host).service(s), nil)
		}
		return
	}
	e, err := event.DecodeIncident(record.Value)
	if err != nil {
		return
	}
	if claim, is := e.Data.(event.Claim); is {
		p.host(claim.Host).incident(e)
		return
	}
	said := p.host(e.Host).incident(e)
	if p.json {
		if !said.at.IsZero() { // it counts
			fmt.Fprintf(p.out, "%s\n", record.Value)
		}
		return
	}
	if e.Type == event.TypeEvidence && !said.at.IsZero() {
		said.icon, said.text = "🔎", e.Service+": evidence collected"
	}
	p.print(said, reasons(e))
}

// host has the sentences about one host: each has an owner of its own.
func (p *replayPrinter) host(name string) *sentences {
	if p.hosts[name] == nil {
		p.hosts[name] = newSentences(name, time.Time{})
	}
	return p.hosts[name]
}

func (p *replayPrinter) print(said entry, reasons []string) {
	if said.text == "" {
		return
	}
	p.n++
	said.icon = cmp.Or(said.icon, "  ")
	lines := said.render(p.color)
	for _, reason := range reasons {
		lines += strings.Repeat(" ", len(time.TimeOnly)+4) + printable(reason) + "\n"
	}
	_, _ = io.WriteString(p.out, lines) // a closed output needs no error
}

// reasons are why an event is as it is, line by line.
func reasons(e event.Incident) []string {
	switch data := e.Data.(type) {
	case event.Diagnosed:
		return diagnosis(e.By, data)
	case event.ActionStarted:
		return []string{fmt.Sprintf("attempt %d; %s needed to verify it", data.Attempt, plural(data.Verify, "good check"))}
	case event.Evidence:
		var all []string
		for _, f := range data.Facts {
			if f.Decisive {
				all = append(all, because(fmt.Sprintf("%s: %s", f.Key, f.Value), f.Why))
			}
		}
		said := data.NewLines()
		for i, line := range data.Logs {
			if said[i] != "" {
				all = append(all, because("log: "+line, said[i]))
			}
		}
		return all
	}
	return nil
}

func diagnosis(by string, d event.Diagnosed) []string {
	all := []string{fmt.Sprintf("action: %s, confidence %.0f%%, decided by %s", d.Action, 100*d.Confidence, by)}
	if d.CauseID != "" {
		all[0] += ", cause " + d.CauseID
	}
	opinion := func(whose string, o *event.Opinion) {
		if o != nil {
			all = append(all, because(fmt.Sprintf("%s: %s", whose, o.Action), o.Why))
		}
	}
	opinion("runbook", d.Runbook)
	opinion("model", d.Model)
	if d.Invalid != "" {
		all = append(all, "model: no usable answer: "+d.Invalid)
	}
	for _, c := range d.Legal {
		all = append(all, because("legal: "+c.Action, c.Why))
	}
	for _, r := range d.NotOffered {
		all = append(all, because("not offered: "+r.Action, r.Why))
	}
	return all
}
