// Package newconfig writes a first config.yaml from services that were found in
// running containers: commented, and in mode observe, so that nothing is
// repaired before a person has read it. It does no I/O.
//
// Names and labels of containers are foreign: a value never becomes
// configuration of another place, nor a comment more than one line.
package newconfig

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"logstream/internal/text"
)

// Service is a service that was found, and how it is to be monitored.
type Service struct {
	Name        string   `json:"name"`
	Group       string   `json:"group"`
	Container   string   `json:"container"`
	URL         string   `json:"url"`         // empty: by the container's state and HEALTHCHECK
	AnyStatus   bool     `json:"any_status"`  // it answers with a code such as 401: each but 5xx is good
	Insecure    bool     `json:"insecure"`    // its certificate is not for this address, and is not verified
	HealthCheck bool     `json:"healthcheck"` // the container has one
	DependsOn   []string `json:"depends_on"`
	StoppedBy   string   `json:"stopped_by"` // the tool that stops it from time to time; empty: none
}

// LeftOut is a container that is not in the file, and why.
type LeftOut struct {
	Container string `json:"container"`
	Why       string `json:"why"`
}

// File is what is written.
type File struct {
	Services []Service
	LeftOut  []LeftOut
	// Dashboard and Broker are free addresses, host:port.
	Dashboard, Broker string
	// Engine is the engine's address where the environment names it: the daemon may
	// run in another one. Empty: it is found without.
	Engine string
	// Labelled: there are containers with labels of ours, which say themselves how
	// they are monitored.
	Labelled bool
}

// Bytes is the file. Services of one group stand together.
func (f File) Bytes() []byte {
	var out strings.Builder
	fmt.Fprintf(&out, `# The configuration of LogStream, written by logstream init from what was running.
# Validate an edit with: logstream check. A saved change takes effect within a second.

# In mode observe nothing is repaired: the dashboard shows what LogStream would
# have done, and how often that would have been right. When you agree with it,
# set auto, or approve: then each repair waits for your yes.
healer:
  mode: observe          # observe, approve or auto
  decide: runbook        # rules only; llm: a local model may choose (start Ollama, then: ollama pull deepseek-r1:1.5b)

# Everything is recorded in Kafka, by default in a broker inside the process.
# For your own: brokers: kafka-1:9092,kafka-2:9092
bus:
  embedded:
    listen: %s
    data: ./data

dashboard:
  listen: %s   # beyond loopback it needs a token

docker:
%s  discover: %s

# What each service has unless it says otherwise.
defaults:
  interval: 10s
  timeout: 5s
  failure_threshold: 3   # failed checks in a row until a service is DOWN
  success_threshold: 2

`, f.Broker, f.Dashboard, f.engine(), f.discover())
	for _, l := range f.LeftOut {
		comment(&out, fmt.Sprintf("not monitored: container %s: %s", l.Container, l.Why))
	}
	if len(f.Services) == 0 {
		out.WriteString("# No container was running. A service is a name and an address:\n#   - name: web\n#     url: http://127.0.0.1:8080\n#     container: web\nservices: []\n")
		return []byte(out.String())
	}
	out.WriteString("services:\n")
	group := ""
	for i, s := range f.inOrder() {
		if i == 0 || s.Group != group {
			if group = s.Group; group != "" {
				out.WriteString("  ")
				comment(&out, "group "+group)
			}
		}
		s.write(&out)
	}
	return []byte(out.String())
}

func (f File) engine() string {
	if f.Engine == "" {
		return ""
	}
	return fmt.Sprintf("  host: %s   # as DOCKER_HOST had it when this was written\n", scalar(f.Engine))
}

func (f File) discover() string {
	if f.Labelled {
		return "labelled     # containers with labels logstream.… become services by themselves"
	}
	return "off          # labelled: containers with labels logstream.… are monitored, too; all: every container"
}

func (f File) inOrder() []Service {
	all := slices.Clone(f.Services)
	slices.SortStableFunc(all, func(a, b Service) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name)) })
	return all
}

// Leave takes a service out, by its place in the file: its container is left out
// for that reason, and nothing depends on it.
func (f *File) Leave(place int, why string) {
	f.Services = f.inOrder()
	gone := f.Services[place]
	f.Services = slices.Delete(f.Services, place, place+1)
	f.LeftOut = append(f.LeftOut, LeftOut{gone.Container, why})
	for i, s := range f.Services {
		f.Services[i].DependsOn = slices.DeleteFunc(slices.Clone(s.DependsOn), func(name string) bool { return name == gone.Name })
	}
}

func (s Service) write(out *strings.Builder) {
	fmt.Fprintf(out, "  - name: %s\n", scalar(s.Name))
	switch {
	case s.URL != "":
		fmt.Fprintf(out, "    url: %s\n", scalar(s.URL))
	case s.HealthCheck:
		out.WriteString("    # no url: its status is the container's state and its HEALTHCHECK\n")
	default:
		out.WriteString("    # no url: its status is the container's state alone\n")
	}
	fmt.Fprintf(out, "    container: %s\n", scalar(s.Container))
	if s.Group != "" {
		fmt.Fprintf(out, "    group: %s\n", scalar(s.Group))
	}
	if s.AnyStatus {
		out.WriteString("    expect: {status: 200-499}   # it answers, but not with success: give the url of a page that does, such as /health\n")
	}
	if s.Insecure {
		out.WriteString("    tls: {insecure: true}   # its certificate is not for this address\n")
	}
	if len(s.DependsOn) > 0 {
		var names []string
		for _, name := range s.DependsOn {
			names = append(names, scalar(name))
		}
		fmt.Fprintf(out, "    depends_on: [%s]\n", strings.Join(names, ", "))
	}
	if s.StoppedBy != "" {
		fmt.Fprintf(out, "    heal: {manual_stop: ignore}   # %s stops it and starts it again: a stop is no failure\n", text.Short(s.StoppedBy))
	}
}

// comment writes what others may have written, as one line.
func comment(out *strings.Builder, what string) { fmt.Fprintf(out, "# %s\n", text.Short(what)) }

var (
	bare = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*(://[A-Za-z0-9_.:/-]+)?$`)
	// words are those that some YAML readers take for something else than a text.
	words = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
)

// scalar is a text as a YAML value, in which no variable of the environment is
// meant: quoted unless it is plain.
func scalar(s string) string {
	if bare.MatchString(s) && !slices.Contains(words, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(strings.ReplaceAll(s, "$", "$$"))
}

// Table prints what was found.
func (f File) Table(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "SERVICE\tCONTAINER\tCHECK\tDEPENDS ON\tNOTE")
	for _, s := range f.inOrder() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", text.Short(s.Name), text.Short(s.Container), s.check(), text.Short(strings.Join(s.DependsOn, ", ")), s.remark())
	}
	for _, l := range f.LeftOut {
		fmt.Fprintf(table, "-\t%s\t-\t\tnot monitored: %s\n", text.Short(l.Container), text.Short(l.Why))
	}
	_ = table.Flush() // a closed output needs no error
}

// check is how a service is monitored, in a few words.
func (s Service) check() string {
	switch {
	case s.URL != "" && s.HealthCheck:
		return s.URL + " + HEALTHCHECK"
	case s.URL != "":
		return s.URL
	case s.HealthCheck:
		return "state + HEALTHCHECK"
	}
	return "state"
}

func (s Service) remark() string {
	var all []string
	if s.StoppedBy != "" {
		all = append(all, "stops are left to "+text.Short(s.StoppedBy))
	}
	if s.AnyStatus {
		all = append(all, "answers without success: give a better url")
	}
	if s.Insecure {
		all = append(all, "certificate not verified")
	}
	return strings.Join(all, "; ")
}
