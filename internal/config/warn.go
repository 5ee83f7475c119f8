package config

import (
	"fmt"
	"os"
	"time"

	"logstream/internal/docker"
	"logstream/internal/service"
)

// given says whether the file has a value for a service's key, its own or the
// default's, and at which of the two.
func (d *decoder) given(owner, key string) (full string, is bool) {
	for _, section := range []string{owner, "defaults"} {
		if _, is := d.places[within(section, key)]; is {
			return within(section, key), true
		}
	}
	return "", false
}

// limitTimeouts gives a service without a time-out of its own one that ends
// before the next check begins.
func (d *decoder) limitTimeouts(services []service.Definition) {
	for i := range services {
		if _, is := d.given(item(i), "timeout"); !is {
			services[i].Timeout = min(services[i].Timeout, max(services[i].Interval, service.MinTimeout))
		}
	}
}

// takeContainers gives a service whose url is docker://name that container.
func takeContainers(services []service.Definition) {
	for i, s := range services {
		if s.Scheme() == service.SchemeDocker && s.Container == "" {
			services[i].Container = s.URL[len(service.SchemeDocker)+len("://"):]
		}
	}
}

// warn reports what is valid and probably not meant.
func (d *decoder) warn(f file) {
	if len(f.Services) == 0 && f.Docker.Discover == docker.DiscoverOff {
		d.warnAt("services", "", "is empty: nothing is monitored")
	}
	if n := len(f.Dashboard.Token); n > 0 && n < 16 {
		d.warnAt("dashboard.token", f.Dashboard.Token, "has fewer than 16 characters, so it can be guessed: create one with openssl rand -hex 16")
	}
	for i, t := range f.Dashboard.Tokens {
		if t.Ended(time.Now()) {
			d.warnAt(fmt.Sprintf("dashboard.tokens[%d].expires", i), t.Expires, "has passed, so this token is refused: set a later date, or remove the token")
		}
	}
	if f.Bus.ReadablePassword() {
		d.warnAt("bus.sasl.mechanism", f.Bus.SASL.Mechanism, "sends the password unencrypted, because bus.tls.enabled is false: anyone who can read this traffic can use it on every topic; set bus.tls.enabled: true, or a mechanism that does not send it, such as SCRAM-SHA-512")
	}
	reported := map[string]bool{} // the defaults' time-out once, and not for each service
	for i, s := range f.Services {
		key, is := d.given(item(i), "timeout")
		if !is || s.Timeout <= s.Interval || reported[key] {
			continue
		}
		reported[key] = true
		d.warnAt(key, d.places[key].text, fmt.Sprintf("is longer than the interval of %s: while a service hangs, it is checked only every %s", s.Interval, s.Timeout))
	}
}

func (d *decoder) warnAt(key, value, message string) {
	if len(d.report.Warnings) >= maxErrors {
		return
	}
	at := d.nearestPlace(key)
	d.report.Warnings = append(d.report.Warnings, Finding{File: d.file, Line: at.line, Column: at.column, Key: key,
		Value: shown(key, value), Message: message, warning: true})
}

// item is the key of the service at an index.
func item(i int) string { return fmt.Sprintf("services[%d]", i) }

// writableByAll warns of a file that every user of this machine may change:
// that user decides what is repaired, and sees the environment's secrets.
func writableByAll(path string) []Finding {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o002 == 0 {
		return nil // what cannot be read is reported elsewhere
	}
	return []Finding{{File: path, warning: true, Message: "every user of this machine may change this file, and so decide what is repaired: chmod o-w " + path}}
}
