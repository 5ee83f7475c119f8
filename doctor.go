package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"logstream/bus"
	"logstream/healer"
	"logstream/healer/llm"
	"logstream/internal/config"
	"logstream/internal/docker"
	"logstream/internal/doctor"
	"logstream/internal/event"
	"logstream/internal/service"
)

// doctorCommand examines everything that LogStream needs.
func doctorCommand() *cobra.Command {
	cmd := newCommand("doctor", "Examine what LogStream needs, and print how to fix each fault; exit code 1 if something fails",
		"logstream doctor\nlogstream doctor --config new.yaml --json")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, restore := untilSignal(cmd.Context())
		defer restore()
		all, failed := []doctor.Result{}, false
		doctor.Examine(ctx, subjectOf(configPath(cmd)), func(r doctor.Result) {
			all, failed = append(all, r), failed || r.Level == doctor.Fail
			if !*asJSON {
				fmt.Fprint(cmd.OutOrStdout(), r.Line())
			}
		})
		if *asJSON {
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(all) // a closed output needs no error
		} else {
			fmt.Fprintf(cmd.OutOrStdout(), "\n%s\n", doctor.Summary(all))
		}
		if failed {
			return errPrinted
		}
		return nil
	}
	return cmd
}

// subjectOf is what the configuration at path has LogStream stand on, with the
// defaults where there is none that can be used.
func subjectOf(path string) *doctor.Subject {
	s := &doctor.Subject{Path: path, Exists: true}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		s.Exists = false
	}
	c, report := config.Load(path)
	for _, f := range report.Errors {
		s.Errors = append(s.Errors, f.String())
	}
	for _, f := range report.Warnings {
		s.Warnings = append(s.Warnings, f.String())
	}
	if len(s.Errors) > 0 {
		c, _ = config.Parse(path, []byte("services: []\n"), os.LookupEnv)
	}
	s.Settings = settingsOf(c)
	quiet := slog.New(slog.DiscardHandler)
	s.Kafka = func(ctx context.Context) (doctor.Kafka, error) {
		x, err := bus.Examine(ctx, c.Bus, quiet)
		k := doctor.Kafka{Embedded: x.Embedded, Address: x.Address, Running: x.Running}
		for _, t := range x.Topics {
			k.Topics = append(k.Topics, doctor.Topic{Name: t.Name, Missing: t.Missing, Fault: doctor.TopicFault(t.Fault), Setting: t.Set, Have: t.Have, Want: t.Want})
		}
		return k, err
	}
	engine, err := docker.New(c.Docker, quiet)
	if s.NoEngine = err; err == nil {
		s.Engine = engine
	}
	if c.Healer.Decide != healer.DecideRunbook {
		s.Model = func(ctx context.Context) doctor.Model { return testModel(ctx, c.Healer.LLM) }
	}
	return s
}

func settingsOf(c config.Config) doctor.Settings {
	s := doctor.Settings{Mode: string(c.Healer.Mode), Discovers: c.Docker.Discover != docker.DiscoverOff, Data: c.Bus.Embedded.Data,
		Listen: []doctor.Address{{Key: "dashboard.listen", Address: c.Dashboard.Listen}}}
	if len(c.Bus.Brokers) == 0 {
		s.Listen = append(s.Listen, doctor.Address{Key: "bus.embedded.listen", Address: c.Bus.Embedded.Listen})
		s.LogBytes = int64(c.Bus.Embedded.MaxSize)
	}
	for _, d := range c.Services {
		s.Services = append(s.Services, doctor.Service{Name: d.Name, Container: d.Container})
	}
	return s
}

// testQuestion is a failure that every model that is of use understands.
var testQuestion = llm.Question{
	Service: "test-service",
	Facts:   []event.Fact{{Key: "state", Value: "exited", Decisive: true, Why: "its container was killed"}},
	Legal:   []event.Choice{{Letter: "A", Action: service.ActionStart, Why: "starts the container"}, {Letter: "B", Action: service.ActionEscalate, Why: "calls a person"}},
}

// testModel queries the model once, as an incident would.
func testModel(ctx context.Context, c llm.Config) doctor.Model {
	m := doctor.Model{Name: c.Model}
	client, err := llm.New(c)
	if err != nil {
		m.Problem = err.Error()
		return m
	}
	missing := new(llm.Missing)
	if err := client.Check(ctx); errors.As(err, &missing) {
		m.Problem, m.Fix = missing.Why, missing.Remedy
		return m
	} else if err != nil {
		m.Problem = err.Error()
		return m
	}
	began := time.Now()
	answer := client.Query(ctx, testQuestion, nil)
	m.Took = time.Since(began)
	if answer.Opinion == nil {
		m.Problem, m.Late = cmp.Or(answer.Invalid, "it did not answer"), answer.Code == event.InvalidLate
	}
	return m
}
