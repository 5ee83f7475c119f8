// Package doctor examines what LogStream stands on: its configuration, data
// directory, disk, clock and ports, Kafka, Docker, other programs that repair
// containers, and the model. It changes nothing. Checks is the list of what it
// checks; what it says is in sentences.go.
package doctor

import (
	"context"
	"encoding/json"
	"time"

	"logstream/internal/container"
	"logstream/internal/docker"
	"logstream/internal/health"
	"logstream/internal/redact"
	"logstream/internal/text"
)

// Level is how bad a result is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // it works, with less than it could
	Fail Level = "fail" // it does not start, or repairs nothing
)

// Result is one thing that was found.
type Result struct {
	Part    string // the name of the check
	Level   Level
	Message string        // one sentence, without a full stop
	Fix     health.Remedy // of what is not OK
}

// MarshalJSON writes the contract's names. Only what fails is not ok.
func (r Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Part    string `json:"part"`
		OK      bool   `json:"ok"`
		Level   Level  `json:"level"`
		Message string `json:"message"`
		Fix     string `json:"fix"`
		Command string `json:"command"` // of the fix, alone; empty: there is none
	}{r.Part, r.Level != Fail, r.Level, r.Message, r.Fix.String(), r.Fix.Command})
}

// Subject is what is examined.
type Subject struct {
	Path     string   // of the configuration file
	Exists   bool     // the file does
	Errors   []string // in the file: with any, all else is the defaults'
	Warnings []string
	Settings Settings

	Kafka  func(ctx context.Context) (Kafka, error)
	Engine Engine // nil: NoEngine says why
	// NoEngine is why no engine can be named, such as a docker context that does
	// not exist.
	NoEngine error
	// Model queries the model once; nil: none is configured.
	Model func(ctx context.Context) Model

	kafka *kafkaSeen // what Kafka gave, once it was queried
	about *aboutSeen
}

// Settings are what of the configuration is checked.
type Settings struct {
	Services  []Service
	Mode      string // of repairs
	Discovers bool   // services in containers without an entry
	Listen    []Address
	Data      string // the data directory
	LogBytes  int64  // how much the embedded broker may store there; 0: it is not used
}

// Service is a configured service, and the container that it names, or empty.
type Service struct{ Name, Container string }

// Address is where something is to listen, by the key that says so.
type Address struct{ Key, Address string }

// Kafka is what was found at the brokers.
type Kafka struct {
	Embedded bool
	Address  string
	Running  string // the instance that has the data directory, such as "pid 1234"; empty: none
	Topics   []Topic
}

// Topic is a topic of ours on the brokers.
type Topic struct {
	Name    string
	Missing bool
	Fault   TopicFault // empty: none
	Setting string     // that is wrong
	Have    string
	Want    string
}

// TopicFault is what is wrong with a topic.
type TopicFault string

// What can be wrong with a topic.
const (
	TopicPartitions TopicFault = "partitions"
	TopicCompacted  TopicFault = "compacted"
	TopicDeletes    TopicFault = "deletes"
	TopicShort      TopicFault = "short"
)

// Model is what a test query gave.
type Model struct {
	Name    string
	Took    time.Duration
	Problem string // why there is no usable answer; empty: there is one
	Late    bool   // it did not answer within its time-out
	Fix     health.Remedy
}

// Engine is a Docker engine.
type Engine interface {
	Host() string
	ChosenBy() string
	About(ctx context.Context) (docker.About, error)
	Rights(ctx context.Context) ([]docker.Right, error)
	List(ctx context.Context) ([]container.Listed, error)
	Find(ctx context.Context, ref string) (container.State, error)
}

// Check is one thing that is checked. What cannot be checked because of what
// another check reports has no results.
type Check struct {
	Part string
	Run  func(ctx context.Context, s *Subject) []Result
}

// Checks are all of them, in the order in which they are made: what others need
// comes first, and what takes longest last.
var Checks = []Check{
	{"config", checkConfig},
	{"data", checkData},
	{"disk", checkDisk},
	{"clock", checkClock},
	{"ports", checkPorts},
	{"kafka", checkKafka},
	{"topics", checkTopics},
	{"docker", checkDocker},
	{"rights", checkRights},
	{"containers", checkContainers},
	{"rivals", checkOtherHealers},
	{"model", checkModel},
}

// checkWithin bounds a check but that of the model, which has its own time-out.
const checkWithin = 30 * time.Second

// maxMessage bounds a message, in bytes: some of it others wrote.
const maxMessage = 1000

// Examine makes all checks and hands on each result as it comes.
func Examine(ctx context.Context, s *Subject, each func(Result)) {
	for _, check := range Checks {
		within, cancel := ctx, context.CancelFunc(func() {})
		if check.Part != "model" {
			within, cancel = context.WithTimeout(ctx, checkWithin)
		}
		for _, r := range check.Run(within, s) {
			r.Part, r.Message = check.Part, redact.Text(text.Clip(text.Line(r.Message), maxMessage))
			each(r)
		}
		cancel()
	}
}

type kafkaSeen struct {
	Kafka
	err error
}

func (s *Subject) seenKafka(ctx context.Context) *kafkaSeen {
	if s.kafka == nil {
		k, err := s.Kafka(ctx)
		s.kafka = &kafkaSeen{k, err}
	}
	return s.kafka
}

type aboutSeen struct {
	docker.About
	err error
}

// engine is the engine, or nil where it does not answer.
func (s *Subject) engine(ctx context.Context) Engine {
	if s.Engine == nil || s.aboutEngine(ctx).err != nil {
		return nil
	}
	return s.Engine
}

func (s *Subject) aboutEngine(ctx context.Context) *aboutSeen {
	if s.about == nil {
		a, err := s.Engine.About(ctx)
		s.about = &aboutSeen{a, err}
	}
	return s.about
}
