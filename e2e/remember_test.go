//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"time"

	"logstream/e2e/engine"
	"logstream/healer/specification"
	"logstream/internal/event"
)

// remembers waits until these services are good, and what is remembered of each
// is the container that has its name now, with its specification. Until then a
// container that changed has not lost anything that LogStream knows of.
func (d *daemon) remembers(docker *engine.Engine, names ...string) {
	d.t.Helper()
	ids := map[string]string{}
	for _, name := range names {
		ids[name] = of(d.t, docker, name, ".Id")
	}
	missing := ""
	d.until(3*time.Minute, "the good states are remembered", func() bool {
		published := d.published()
		for _, name := range names {
			s := published[name]
			if s.Good == nil || s.Good.ContainerID != ids[name] || s.OpenIncident != "" || s.Status != event.Up || !d.keeps(name, s.Good.SpecHash) {
				if name != missing {
					missing = name
					d.t.Logf("waiting until the good state of %s is remembered", name)
				}
				return false
			}
		}
		return true
	})
}

// keeps says whether a service's specification with that hash is in the data directory.
func (d *daemon) keeps(name, hash string) bool {
	_, err := os.Stat(filepath.Join(d.dir, "data", "specifications", filepath.FromSlash(specification.Key(name, hash))))
	return err == nil
}

// published is the newest record of each service on the log.
func (d *daemon) published() map[string]event.Service {
	d.t.Helper()
	newest := map[string]event.Service{}
	for _, r := range topic(d.t, d.broker, event.TopicServices) {
		if s, err := event.DecodeService(r.Value); err == nil {
			newest[s.Service] = s
		}
	}
	return newest
}
