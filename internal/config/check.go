package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"logstream/internal/command"
	"logstream/internal/nearest"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// check reports what is wrong with values that could be read.
func (d *decoder) check(f file) {
	d.checkName("instance", f.Instance, true)
	d.checkName("host", f.Host, false)
	for _, p := range f.Bus.Problems() {
		d.problem("bus", service.Problem{Key: p.Key, Value: p.Value, Message: p.Message})
	}
	d.problems("docker", f.Docker.Problems())
	d.problems("monitor", f.Monitor.Problems())
	d.problems("healer", f.Healer.Problems())
	d.problems("dashboard", f.Dashboard.Problems())
	d.checkHooks(f)
	d.problems("notify", f.Notify.Problems())
	d.checkDefaults(f.Defaults)
	for i, definition := range f.Services {
		d.checkService(item(i), definition)
	}
	d.checkDuplicates(f.Services)
	d.checkDependencies(f.Services)
}

// instanceName is what may stand in the names of Kafka's groups and on the page.
var (
	instanceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	notOfName    = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
)

func (d *decoder) checkName(key, name string, mayBeEmpty bool) {
	if name == "" && mayBeEmpty || instanceName.MatchString(name) {
		return
	}
	near := strings.Trim(notOfName.ReplaceAllString(name, "-"), "._-")
	if !instanceName.MatchString(near) || shown(key, name) != name { // what is masked is not suggested
		near = ""
	}
	d.problem("", service.Problem{Key: key, Value: name, Suggestion: near,
		Message: "must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or a digit"})
}

// checkHooks reports hooks that are wrong, or that cannot be distinguished.
func (d *decoder) checkHooks(f file) {
	names, tokens := map[string]string{}, map[string]string{}
	for i, h := range f.Hooks {
		key := fmt.Sprintf("hooks[%d]", i)
		d.problems(key, h.Problems())
		d.once(names, key, "name", h.Name, "is already the name of another hook (line %d): names must be unique")
		d.once(tokens, key, "token", h.Token, "is already the token of another hook (line %d): each sender needs its own")
		if h.Token != "" && slices.Contains(f.Dashboard.Secrets(), h.Token) {
			d.problem(key, service.Problem{Key: "token", Value: "***", Message: "is also a token of the dashboard: the monitor that reports could then also read and repair; give the hook a token of its own"})
		}
		if h.Name != "" && h.Name == f.Instance {
			d.problem(key, service.Problem{Key: "name", Value: h.Name, Message: "is also the name of this instance: reports of the hook would count as LogStream's own checks; choose another name"})
		}
	}
}

// checkDefaults checks the defaults like a service with nothing of its own.
func (d *decoder) checkDefaults(definition service.Definition) {
	definition.Name, definition.URL = "defaults", "http://localhost"
	d.problems("defaults", slices.Concat(definition.Problems(), check.Problems(definition), command.Problems(definition)))
}

// containerName is Docker's, or project/service by Compose's labels.
var containerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?$`)

func (d *decoder) checkService(key string, definition service.Definition) {
	for _, p := range slices.Concat(definition.Problems(), check.Problems(definition), command.Problems(definition)) {
		_, own := d.places[within(key, p.Key)]
		_, inherited := d.places["defaults."+p.Key]
		if own || !inherited { // else it is reported once, at the defaults
			d.problem(key, p)
		}
	}
	if c := definition.Container; c != "" && !containerName.MatchString(c) {
		d.problem(key, service.Problem{Key: "container", Value: c, Message: "is neither a container's name, such as payment-service, nor project/service"})
	}
}

// checkDuplicates reports a name or a container that two services have.
func (d *decoder) checkDuplicates(services []service.Definition) {
	names, containers := map[string]string{}, map[string]string{}
	for i, s := range services {
		key := item(i)
		d.once(names, key, "name", s.Name, "is already the name of another service (line %d): names must be unique")
		d.once(containers, key, "container", s.Container, "is already the container of another service (line %d): a container belongs to one service")
	}
}

// checkDependencies reports dependencies on what there is not, and circles.
func (d *decoder) checkDependencies(services []service.Definition) {
	byName, names := map[string]service.Definition{}, []string{}
	for _, s := range services {
		byName[s.Name], names = s, append(names, s.Name)
	}
	for i, s := range services {
		for n, needed := range s.DependsOn {
			key := fmt.Sprintf("%s[%d]", within(item(i), "depends_on"), n)
			if _, is := byName[needed]; !is {
				d.failAt(d.nearestPlace(key), key, needed, nearest.Of(needed, names), "is not the name of a service")
			}
		}
		if circle := circleFrom(s.Name, byName); circle != nil && slices.Min(circle) == s.Name { // reported once
			key := within(item(i), "depends_on")
			d.failAt(d.nearestPlace(key), key, "", "", "is a dependency cycle: "+strings.Join(append(circle, s.Name), " needs "))
		}
	}
}

// circleFrom are the services on a way from name back to itself; nil where there is none.
func circleFrom(name string, services map[string]service.Definition) []string {
	seen := map[string]bool{}
	var walk func(at string, way []string) []string
	walk = func(at string, way []string) []string {
		way = append(way, at)
		for _, needed := range services[at].DependsOn {
			if needed == name {
				return way
			}
			if seen[needed] {
				continue
			}
			seen[needed] = true
			if circle := walk(needed, slices.Clone(way)); circle != nil {
				return circle
			}
		}
		return nil
	}
	return walk(name, nil)
}

// once reports a value that was seen before, under which key.
func (d *decoder) once(seen map[string]string, owner, key, value, message string) {
	if value == "" {
		return
	}
	full := within(owner, key)
	if first, again := seen[value]; again {
		d.failAt(d.nearestPlace(full), full, value, "", fmt.Sprintf(message, d.nearestPlace(first).line))
		return
	}
	seen[value] = full
}

func (d *decoder) problems(section string, all []service.Problem) {
	for _, p := range all {
		d.problem(section, p)
	}
}

// problem reports what a part found wrong, unless its key could not be read and
// has an error already, or is missing because it is mistyped.
func (d *decoder) problem(section string, p service.Problem) {
	key := within(section, p.Key)
	if _, written := d.places[key]; d.wrong[key] || d.meant[key] && !written {
		return
	}
	at := d.nearestPlace(key)
	if own := d.places[key]; own.text != "" {
		p.Value = own.text // as it was written: 2m, not 2m0s
	}
	for i := 0; ; i++ { // an item of a list is reported at its own place
		item, is := d.places[fmt.Sprintf("%s[%d]", key, i)]
		if !is {
			break
		}
		if item.text == p.Value {
			at = item
			break
		}
	}
	d.failAt(at, key, p.Value, p.Suggestion, p.Message)
}

// nearestPlace is where key stands, or where it would have to.
func (d *decoder) nearestPlace(key string) place {
	for {
		if at, is := d.places[key]; is {
			return at
		}
		cut := strings.LastIndex(key, ".")
		if cut < 0 {
			return place{line: 1, column: 1}
		}
		key = key[:cut]
	}
}
