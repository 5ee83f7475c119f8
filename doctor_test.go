package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"logstream/healer/llm/llmtest"
	"logstream/internal/doctor"
)

// doctorsResult is one object of doctor --json.
type doctorsResult struct {
	Part    string
	OK      bool
	Level   doctor.Level
	Message string
	Fix     string
	Command string
}

func examinedBy(t *testing.T, args ...string) (int, map[string][]doctorsResult) {
	t.Helper()
	code, out, failed := logstream(append([]string{"doctor", "--json"}, args...)...)
	var all []doctorsResult
	if err := json.Unmarshal([]byte(out), &all); err != nil || failed != "" {
		t.Fatalf("exit %d, %v, %s%s", code, err, out, failed)
	}
	by := map[string][]doctorsResult{}
	for _, r := range all {
		by[r.Part] = append(by[r.Part], r)
		if r.OK != (r.Level != doctor.Fail) || r.Level != doctor.OK && r.Fix == "" {
			t.Errorf("%+v", r)
		}
	}
	return code, by
}

// TestDoctorBesideAnInstanceThatRuns queries a real broker, in this process, and a
// scripted model. There is no engine.
func TestDoctorBesideAnInstanceThatRuns(t *testing.T) {
	s := smallSetup(t, t.TempDir())
	a, stop := started(t, s)
	model := llmtest.Start(t, "m", llmtest.Choose("start", "It was killed."))
	none := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	path := written(t, fmt.Sprintf("bus: {embedded: {listen: %q, data: %q, retention: 1h}}\ndocker: {host: %q}\nhealer: {llm: {url: %q, model: m}}\ndashboard: {listen: %q}\nservices: [{name: web, url: 'http://a', container: web}]\n",
		a.bus.Addr(), a.config.Bus.Embedded.Data, none, model.URL, a.dashboard.now().Addr()))
	says := func(by map[string][]doctorsResult, part string, level doctor.Level, what, command string) {
		t.Helper()
		for _, r := range by[part] {
			if r.Level == level && strings.Contains(r.Message, what) && strings.Contains(r.Command, command) {
				return
			}
		}
		t.Errorf("no %s of %s says %q: %+v", level, part, what, by[part])
	}
	code, by := examinedBy(t, "--config", path)
	if code != exitFailed || len(by["rights"])+len(by["containers"])+len(by["rivals"]) != 0 {
		t.Errorf("exit %d, %+v", code, by)
	}
	says(by, "config", doctor.OK, "is valid: 1 service, mode observe", "")
	says(by, "data", doctor.OK, "in use by the running instance (pid ", "")
	says(by, "ports", doctor.OK, "(dashboard.listen) is in use by the running instance", "")
	says(by, "ports", doctor.OK, "(bus.embedded.listen) is in use by the running instance", "")
	says(by, "kafka", doctor.OK, "the embedded broker answers at "+a.bus.Addr(), "")
	says(by, "topics", doctor.OK, "exist, without a fault", "")
	says(by, "docker", doctor.Fail, "nothing listens at "+none+" (chosen by docker.host in config.yaml)", "sudo systemctl start docker")
	says(by, "model", doctor.OK, "the model m answered a test question", "")
	if queries := model.Queries(); len(queries) != 1 {
		t.Errorf("the model was queried %d times", len(queries))
	}

	model.Script(llmtest.Say("perhaps"))
	_, by = examinedBy(t, "--config", path)
	says(by, "model", doctor.Warn, "is not a JSON object", "")
	model.Remove()
	_, by = examinedBy(t, "--config", path)
	says(by, "model", doctor.Warn, "Ollama has no model m", "ollama pull m")

	if err := stop(); err != nil {
		t.Fatal(err)
	}
	_, by = examinedBy(t, "--config", path)
	says(by, "kafka", doctor.OK, "starts with logstream run", "")
	says(by, "ports", doctor.OK, "(bus.embedded.listen) is free", "")
}

func TestDoctorWithoutAConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	code, out, failed := logstream("doctor")
	if code != exitFailed || failed != "" || !strings.HasPrefix(out, "fail  config      config.yaml does not exist; the rest was examined with the defaults\n                  Fix: ") ||
		!strings.Contains(out, "nothing listens at unix:///nowhere/docker.sock (chosen by DOCKER_HOST)\n") || !strings.HasSuffix(out, " failures\n") {
		t.Errorf("exit %d\n%s%s", code, out, failed)
	}
	code, by := examinedBy(t, "--config", written(t, "servics: []\n"))
	if code != exitFailed || !strings.Contains(by["config"][0].Message, "unknown key; did you mean services?") || len(by["ports"]) != 2 {
		t.Errorf("exit %d, %+v", code, by)
	}
}
