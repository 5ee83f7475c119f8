// Package config reads config.yaml: it composes each part's own
// configuration, applies defaults, decodes strictly, and reports all errors and
// warnings at once with their places. Only main imports it.
//
// Decoding is our own over the nodes of the YAML parser, because its strict
// mode knows neither columns nor what was likely meant, and substitution of
// the environment must happen inside of single values, after parsing: so that
// places hold and a variable's content can't become configuration.
package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"logstream/bus"
	"logstream/dashboard"
	"logstream/dashboard/hook"
	"logstream/healer"
	"logstream/internal/docker"
	"logstream/internal/service"
	"logstream/monitor"
	"logstream/notify"
)

// Config is everything that is configured, with every default applied.
type Config struct {
	Instance  string // empty: the machine's name and four characters that the data directory keeps
	Host      string // the Docker host's name, where several share one log
	Bus       bus.Config
	Docker    docker.Config
	Monitor   monitor.Config
	Healer    healer.Config
	Dashboard dashboard.Config
	Hooks     []hook.Config
	Notify    notify.Config
	Defaults  service.Definition // what each service begins with
	Services  []service.Definition

	version version  // of the file that it was read from, where that is followed
	files   []string // with secrets, that it names
}

// Changed are the sections in which next differs, such as healer and services.
func (c Config) Changed(next Config) []string {
	var sections []string
	now, then := reflect.ValueOf(c), reflect.ValueOf(next)
	for i := range now.NumField() {
		field := now.Type().Field(i)
		if !field.IsExported() || isEmpty(now.Field(i)) && isEmpty(then.Field(i)) {
			continue
		}
		if !reflect.DeepEqual(now.Field(i).Interface(), then.Field(i).Interface()) {
			sections = append(sections, strings.ToLower(field.Name))
		}
	}
	return sections
}

// isEmpty says whether v is a list without anything, nil or not.
func isEmpty(v reflect.Value) bool { return v.Kind() == reflect.Slice && v.Len() == 0 }

// file is config.yaml. Defaults stand before Services, which begin with them.
type file struct {
	Instance  string               `yaml:"instance"`
	Host      string               `yaml:"host"`
	Bus       bus.Config           `yaml:"bus"`
	Docker    docker.Config        `yaml:"docker"`
	Monitor   monitor.Config       `yaml:"monitor"`
	Healer    healer.Config        `yaml:"healer"`
	Dashboard dashboard.Config     `yaml:"dashboard"`
	Hooks     []hook.Config        `yaml:"hooks"`
	Notify    notify.Config        `yaml:"notify"`
	Defaults  service.Definition   `yaml:"defaults"`
	Services  []service.Definition `yaml:"services"`
}

const maxFile = 1 << 20 // bytes

// Load reads the file at path, with the process's environment. Where the report
// has errors, the Config is of no use.
func Load(path string) (Config, Report) {
	content, unreadable := read(path)
	if unreadable != nil {
		return Config{}, failed(*unreadable)
	}
	c, report := Parse(path, content, os.LookupEnv)
	if len(report.Errors) == 0 {
		report.Warnings = append(report.Warnings, writableByAll(path)...)
	}
	return c, report
}

// read is the content of the file, which is bounded.
func read(path string) ([]byte, *Finding) {
	unreadable := func(message string) ([]byte, *Finding) {
		return nil, &Finding{File: path, Message: message}
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		where, _ := filepath.Abs(path)
		return unreadable("does not exist (looked for " + where + "): write one with logstream init, give another file with --config, or try logstream run --demo")
	}
	if err != nil {
		return unreadable("cannot be read: " + err.Error())
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return unreadable("cannot be read: " + err.Error())
	}
	if len(content) > maxFile {
		return unreadable("is larger than " + strconv.Itoa(maxFile) + " bytes")
	}
	return content, nil
}

// Parse reads the content of a configuration file, which is called path in the
// report; lookup is the environment.
func Parse(path string, content []byte, lookup func(string) (string, bool)) (Config, Report) {
	root, malformed := document(path, content)
	if malformed != nil {
		return Config{}, failed(*malformed)
	}
	f := file{Host: "local", Bus: bus.Default(), Docker: docker.Default(), Monitor: monitor.Default(), Healer: healer.Default(), Dashboard: dashboard.Default(), Notify: notify.Default(), Defaults: service.Default()}
	d := &decoder{file: path, lookup: lookup, defaults: &f.Defaults, wrong: map[string]bool{}, meant: map[string]bool{}, places: map[string]place{},
		report: Report{Errors: []Finding{}, Warnings: []Finding{}}}
	d.value(root, reflect.ValueOf(&f).Elem(), "")
	d.limitTimeouts(f.Services)
	takeContainers(f.Services)
	d.check(f)
	inOrder(d.report.Errors)
	excerpts(root, d.report.Errors)
	if len(d.report.Errors) > 0 {
		return Config{files: d.files}, d.report // without warnings, which a value that is wrong would make misleading
	}
	d.warn(f)
	inOrder(d.report.Warnings)
	excerpts(root, d.report.Warnings)
	return Config{Instance: f.Instance, Host: f.Host, Bus: f.Bus, Docker: f.Docker, Monitor: f.Monitor, Healer: f.Healer,
		Dashboard: f.Dashboard, Hooks: f.Hooks, Notify: f.Notify, Defaults: f.Defaults, Services: f.Services, files: d.files}, d.report
}
