//go:build e2e

package faults

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/e2e/engine"
	"logstream/e2e/images"
)

var (
	all        = flag.Bool("all", false, "run all scenarios, not only the quick ones")
	withPeers  = flag.Bool("peers", false, "run the peers' policies as well")
	only       = flag.String("only", "", "run the scenarios whose name matches")
	onlyPolicy = flag.String("policy", "", "run this policy alone")
	report     = flag.String("report", "", "write the report to this file, with .md and .json added")
	labels     = flag.String("labels", "", "write what is right in the scenarios to this file, for healer/eval")
	beside     = flag.Int("beside", 14, "how many scenarios run beside each other")
)

// atOnce is how many groups run at the same time.
const atOnce = 2

var (
	binary  string
	engines engine.Set
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "logstream")
	build := exec.Command("go", "build", "-tags", "e2e", "-o", binary, "logstream")
	if out, err := build.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("build logstream: %w: %s", err, out))
	}
	engines.Prepare = load
	defer func() {
		if err := engines.Close(); err != nil {
			code = fail(err)
		}
	}()
	return m.Run()
}

// load loads all images, each without and with a HEALTHCHECK.
func load(e *engine.Engine) error {
	list := []images.Image{checked, brokenCheck}
	for _, image := range []images.Image{images.Webapp, images.Quit, {Name: "logstream-webapp-2", Env: []string{"BUILD=2"}}, exits, serves500, finishes} {
		list = append(list, image)
		if image.Name != images.Webapp.Name {
			image.Name, image.Health = image.Name+"-checked", checked.Health
			list = append(list, image)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return images.LoadAll(ctx, e, list...)
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// chosen are the scenarios to run.
func chosen(t *testing.T) (list []Scenario) {
	t.Helper()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Scenarios() {
		if (*all || *only != "" || s.Quick) && pattern.MatchString(s.Name) {
			list = append(list, s)
		}
	}
	return list
}

// TestFaults breaks containers in every way, and judges LogStream, and its peers
// where that is asked for.
func TestFaults(t *testing.T) {
	e, err := engines.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "f") // short: sockets are made in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := runner{binary: binary, engine: e, dir: dir}
	out := Report{Time: time.Now(), Engine: e.Version, Version: version()}
	list := chosen(t)
	for _, policy := range policies {
		if *onlyPolicy != "" && policy != *onlyPolicy || *onlyPolicy == "" && policy != logstream && !*withPeers {
			continue
		}
		applies, not := divided(list, policy)
		out.Results = append(out.Results, not...)
		beside, alone := groups(applies, *beside)
		out.Results = append(out.Results, r.all(t, policy, atOnce, beside)...)
		out.Results = append(out.Results, r.all(t, policy, 1, alone)...)
	}
	out.Summary, out.Took = summary(out.Results), time.Since(out.Time).Seconds()
	t.Logf("\n%s", out.markdown())
	if *report != "" {
		if err := out.write(*report); err != nil {
			t.Error(err)
		}
	}
	if *labels != "" {
		if err := writeLabels(*labels, list, out.Results); err != nil {
			t.Error(err)
		}
	}
}

// divided are the scenarios that say something about a policy, and the results of
// the others, which are not run.
func divided(list []Scenario, policy string) (applies []Scenario, not []Result) {
	for _, s := range list {
		reason, isNot := s.NotFor[policy]
		if !isNot {
			applies = append(applies, s)
			continue
		}
		not = append(not, Result{Policy: policy, Scenario: s.Name, Row: s.Row, Verdict: NA, Why: []string{reason}})
	}
	return applies, not
}

// all runs groups, so many of them at once.
func (r runner) all(t *testing.T, policy string, atOnce int, groups [][]Scenario) (list []Result) {
	t.Helper()
	results := make([][]Result, len(groups))
	var running errgroup.Group
	running.SetLimit(atOnce)
	for i, group := range groups {
		running.Go(func() error {
			began := time.Now()
			var err error
			name := fmt.Sprintf("%s%d%d", policy[:2], atOnce, i)
			results[i], err = r.group(t, policy, name, group)
			if err == nil {
				err = r.anew(t, policy, name, group, results[i])
			}
			t.Logf("%s: %d scenarios from %s on in %s", policy, len(group), group[0].Name, time.Since(began).Round(time.Second))
			return err
		})
	}
	if err := running.Wait(); err != nil {
		t.Error(err)
	}
	return slices.Concat(results...)
}

// anew runs the scenarios of a group again that were another fault, each alone, and puts
// their results in the place of the others.
func (r runner) anew(t *testing.T, policy, name string, group []Scenario, results []Result) error {
	t.Helper()
	for i, result := range results {
		for try := 1; result.other; try++ {
			t.Logf("%s: %s", group[i].Name, result.Why[0])
			if try == 4 {
				return fmt.Errorf("%s: %s, %d times", group[i].Name, result.Why[0], try)
			}
			again, err := r.group(t, policy, fmt.Sprintf("%sa%d%d", name, i, try), group[i:i+1])
			if err != nil {
				return err
			}
			result = again[0]
			result.anew = true
			results[i] = result
		}
	}
	return nil
}

func version() string {
	out, err := exec.Command(binary, "version").Output()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(out))
}
