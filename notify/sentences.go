package notify

import (
	"fmt"
	"strings"
	"text/template"
	"time"

	"logstream/internal/text"
)

// shipped are the texts of the messages: the first line is the title. They are
// the one place of what is said to people here; a receiver may have its own.
var shipped = map[string]string{
	Opened: `{{if .Fleet}}🔴 {{.Error}}{{else}}🔴 {{.Service}} is DOWN{{end}}
{{if not .Fleet}}{{.Error}}{{end}}
{{.About}}`,
	Escalated: `{{if .Observed}}🔴 {{.Service}} is not repaired (mode observe) and needs a person{{else}}🆘 {{if .Fleet}}LogStream{{else}}{{.Service}}{{end}} needs a person{{end}}{{if .Repeat}} (reminder {{.Repeat}}, waiting for {{.Waiting}}){{end}}
{{.Reason}}
{{with .Cause}}Cause: {{.}}{{end}}
{{if .Observed}}{{with .Command}}Command: {{.}}{{end}}{{else if .Attempts}}{{plural .Attempts "repair"}} did not help{{with .Command}}; the last was: {{.}}{{end}}{{end}}
{{with .Dependents}}Also down because of it: {{join .}}{{end}}
{{.About}}`,
	Resolved: `✅ {{if .Fleet}}LogStream reaches its services again after {{.Took}}{{else}}{{.Service}}: {{if eq .How "healed"}}healed in {{.Took}}{{else if eq .How "recovered"}}recovered by itself after {{.Took}}{{else}}incident closed{{end}}{{end}}
{{.Cause}}
{{if eq .How "healed"}}{{with .Command}}Repair: {{.}}{{end}}{{end}}
{{with .Reason}}A person was called before: {{.}}{{end}}
{{with .Dependents}}Also recovered: {{join .}}{{end}}`,
	Approval: `🙋 {{.Service}}: approve {{.Action}}?{{if .Repeat}} (reminder {{.Repeat}}, waiting for {{.Waiting}}){{end}}
{{.Cause}}
{{with .Command}}It would run: {{.}}{{end}}
{{with .Cost}}Cost: {{.}}{{end}}
{{with .Undo}}Undo: {{.}}{{end}}
{{with .Reason}}Why it waits: {{.}}{{end}}
{{with .Dependents}}Also down because of it: {{join .}}{{end}}
Without an answer by {{clock .Expires}} a person is called.`,
	Lost: `🔌 {{.Part}} is unavailable
{{.What}}
{{with .OnHold}}On hold: {{.}}{{end}}
{{with .Works}}Still works: {{.}}{{end}}
{{with .Remedy}}How to fix: {{.}}{{end}}`,
	Back: `✅ {{.Part}} is available again
It was unavailable for {{.Took}}.`,
	DigestOf: `🌙 Last night: {{if or .Repairs .Needed .Recovered}}{{plural .Repairs "repair"}}{{if .Recovered}}, {{.Recovered}} recovered without one{{end}}, {{if .Needed}}a person was called {{times .Needed}}{{else}}no person was called{{end}}{{else}}no incidents{{end}}
{{with .Open}}Still waiting for a person: {{join .}}{{end}}
{{range .Lines}}{{.}}
{{end}}`,
	Summary: `📋 {{plural .Waited "delayed notification"}}
{{range .Lines}}{{.}}
{{end}}`,
	testOf: `🔔 Test message of LogStream
This receiver works. Host: {{.Host}}.`,
}

var functions = template.FuncMap{
	"join": func(all []string) string { return strings.Join(all, ", ") },
	"plural": func(n int, thing string) string {
		if n == 1 {
			return "1 " + thing
		}
		return fmt.Sprintf("%d %ss", n, thing)
	},
	"times": func(n int) string {
		if n == 1 {
			return "once"
		}
		return fmt.Sprintf("%d times", n)
	},
	"clock": func(t time.Time) string { return t.Local().Format(clock) },
}

// parse is a template of an event.
func parse(on, text string) (*template.Template, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("is longer than %d bytes", maxText)
	}
	return template.New(on).Funcs(functions).Parse(text)
}

// mostOutput bounds what a template may write, in bytes.
const mostOutput = 16 << 10

// bounded is a writer with an end.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > mostOutput {
		return 0, fmt.Errorf("writes more than %d bytes", mostOutput)
	}
	return b.Builder.Write(p)
}

func execute(made *template.Template, n Note) (string, error) {
	var out bounded
	if err := made.Execute(&out, n); err != nil {
		return "", err
	}
	return out.String(), nil
}

// texts are the templates of a receiver.
type texts map[string]*template.Template

// textsOf are the shipped templates, with the receiver's own in their place.
func textsOf(own Templates) (texts, error) {
	all := texts{}
	for on, text := range shipped {
		if given, is := own[on]; is {
			text = given
		}
		made, err := parse(on, text)
		if err != nil {
			return nil, fmt.Errorf("template of %s: %w", on, err)
		}
		all[on] = made
	}
	return all, nil
}

// mostLines is how many lines a summary has.
const mostLines = 20

// say is the title and the text of a note. Empty lines are left out.
func (t texts) say(n Note) (title, body string) {
	for i, of := range n.items {
		if i == mostLines {
			n.Lines = append(n.Lines, fmt.Sprintf("… and %d more", max(n.Waited, len(n.items))-mostLines))
			break
		}
		line, _ := t.say(of)
		n.Lines = append(n.Lines, of.Time.Local().Format("2 Jan "+clock)+"  "+line)
	}
	out, err := execute(t[n.Event], n)
	if err != nil { // a receiver's own, on a note that the example did not foresee
		return n.Event + " " + n.Service, "The template of this event failed: " + templateReason(err)
	}
	var lines []string
	for line := range strings.Lines(out) {
		if line = text.Line(line); strings.TrimSpace(line) != "" {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if len(lines) == 0 {
		return n.Event + " " + n.Service, ""
	}
	return lines[0], strings.Join(lines[1:], "\n")
}

// example is a note with everything that one of its event may have.
func example(on string) Note {
	at := time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)
	return Note{Event: on, Severity: normal, Time: at, Repeat: 1, Host: "local", Service: "payment-service", Group: "shop", About: "no payments",
		Incident: "in-1", Error: "HTTP 500", Cause: "It was killed.", Action: "restart", Command: "docker restart payment-service", Attempts: 2,
		Reason: "the budget is spent", Cost: "it is DOWN for seconds", Undo: "none", Expires: at, Waiting: "30 min", How: "healed", Took: "42 s",
		Dependents: []string{"inventory-service"}, Part: "Docker", What: "Docker is unreachable", Works: "checks", OnHold: "repairs", Remedy: "start it",
		Repairs: 2, Recovered: 1, Needed: 1, Open: []string{"db"}, Waited: 1, Lines: []string{"1 Mar 03:12  payment-service: healed in 42 s"}}
}
