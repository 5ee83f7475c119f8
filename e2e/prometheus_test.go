//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// server starts a program that ends with the test, and waits until it answers.
func server(t *testing.T, ready string, name string, args ...string) {
	t.Helper()
	out := &lockedBuffer{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: make deps installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, tail(out.String(), 4000))
		}
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(ready)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not answer: %v\n%s", name, err, out)
		}
	}
}

// prometheus is a real Prometheus that scrapes a page each second, with the
// rules that ship.
type prometheus struct {
	t       *testing.T
	address string
}

func scraping(t *testing.T, page string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs("../docs/alert-rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\n"+
		"scrape_configs: [{job_name: logstream, static_configs: [{targets: [%q]}]}]\n", rules, page)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &prometheus{t, fmt.Sprintf("http://127.0.0.1:%d", freePort(t))}
	server(t, p.address+"/-/ready", "prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+strings.TrimPrefix(p.address, "http://"))
	return p
}

// query is how many series an expression gives, or why Prometheus refuses it.
func (p *prometheus) query(expression string) (series int, problem string) {
	p.t.Helper()
	response, err := http.Get(p.address + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []any }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		p.t.Fatal(err)
	}
	return len(answer.Data.Result), answer.Error
}

// expressions are the queries of the Grafana dashboard, as Grafana sends them, by
// panel.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title, Type string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	filled := strings.NewReplacer("$instance", ".*", "$service", ".*", "$__rate_interval", "30s")
	all := map[string][]string{}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			all[panel.Title] = append(all[panel.Title], filled.Replace(target.Expr))
		}
		if panel.Type != "row" && len(all[panel.Title]) == 0 {
			t.Errorf("the panel %q shows nothing", panel.Title)
		}
	}
	return all
}

// TestPrometheusAndGrafanaHaveDataOfARepair has a real Prometheus scrape the demo
// while it repairs something, and sends the queries of the dashboard for Grafana.
func TestPrometheusAndGrafanaHaveDataOfARepair(t *testing.T) {
	t.Parallel()
	d := demo(t)
	p := scraping(t, d.page)
	if code, answer := d.post("/api/v1/services/payment-service/chaos", `{"fault":"kill"}`); code != 202 {
		t.Fatalf("the button: %d %s", code, answer)
	}
	shown := map[string]bool{} // panels that had data at some time
	sample := func() {
		for title, all := range expressions(t) {
			for _, expression := range all {
				series, problem := p.query(expression)
				if problem != "" || strings.Contains(expression, "$") {
					t.Fatalf("%s: %s: %s", title, expression, problem)
				}
				shown[title] = shown[title] || series > 0
			}
		}
	}
	d.until(30*time.Second, "Prometheus has the open incident", func() bool { n, _ := p.query(`logstream_incidents_open == 1`); return n == 1 })
	sample()
	d.newest(60*time.Second, "payment-service", "is resolved", resolved)
	d.until(30*time.Second, "Prometheus has the repair", func() bool {
		n, _ := p.query(`logstream_repairs_total{cause_id="killed", action="start", outcome="verified"} == 1`)
		up, _ := p.query(`logstream_service_up{service="payment-service"} == 1 and on () up{job="logstream"} == 1`)
		return n == 1 && up == 1
	})
	sample()
	// What a demo without a model, a problem or an escalation has no data of.
	empty := []string{"Need a person, by cause", "Model ready", "Components with a problem", "Repairs held, by gate", "Repairs newly held, by gate"}
	for title, is := range shown {
		if !is && !slices.Contains(empty, title) {
			t.Errorf("the panel %q had no data", title)
		}
	}
	if n, problem := p.query(`count({__name__=~"logstream_.*"})`); n != 1 {
		t.Errorf("there are no metrics: %s", problem)
	}
	p.rulesAreEvaluated()
	lint := exec.Command("promtool", "check", "metrics")
	lint.Stdin = strings.NewReader(d.raw("/metrics"))
	if out, err := lint.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// rulesAreEvaluated checks that Prometheus could evaluate every rule, and that
// none fires where nothing is wrong.
func (p *prometheus) rulesAreEvaluated() {
	p.t.Helper()
	response, err := http.Get(p.address + "/api/v1/rules")
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, State, LastError string }
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		p.t.Fatal(err)
	}
	if len(answer.Data.Groups) != 1 || len(answer.Data.Groups[0].Rules) < 10 {
		p.t.Fatalf("the rules are %+v", answer)
	}
	for _, rule := range answer.Data.Groups[0].Rules {
		if rule.Health != "ok" || rule.State == "firing" {
			p.t.Errorf("rule %s: %s, %s %s", rule.Name, rule.State, rule.Health, rule.LastError)
		}
	}
}

// TestTheAlertRulesFireWhenTheyShould runs the rules that ship over timelines.
func TestTheAlertRulesFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "rules", "../docs/alert-rules.yml"}, {"test", "rules", "testdata/alert-rules-test.yml"}} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestARealAlertmanagerReportsAnOutage: Alertmanager sends an alert once, and
// what it reports is held until a check or the engine confirms it, and over a
// restart of ours until it says that it is resolved.
func TestARealAlertmanagerReportsAnOutage(t *testing.T) {
	t.Parallel()
	const token = "token-of-alertmanager"
	healthy := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(healthy.Close)
	d := configured(t, "unix:///tmp/no-engine.sock", "", fmt.Sprintf("- {name: web, url: %q, expect: {status: 404}}\n", healthy.URL))
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(string(text) + fmt.Sprintf("hooks: [{name: am, kind: alertmanager, token: %s, services: {'http://theirs:8080': web}}]\n", token))
	d.start().up("web")

	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(`
route: {receiver: logstream, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
receivers:
  - name: logstream
    webhook_configs:
      - {url: "http://%s/api/v1/hooks/alertmanager", http_config: {authorization: {credentials: %s}}}
`, d.page, token)), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	server(t, "http://"+address+"/-/ready", "prometheus-alertmanager", "--config.file="+file, "--storage.path="+dir,
		"--web.listen-address="+address, "--cluster.listen-address=")
	alert := func(ends time.Time) {
		t.Helper()
		body := fmt.Sprintf(`[{"labels":{"alertname":"ProbeFailed","instance":"http://theirs:8080"},"annotations":{"summary":"the probe fails"},"endsAt":%q}]`,
			ends.Format(time.RFC3339))
		response, err := http.Post("http://"+address+"/api/v2/alerts", "application/json", strings.NewReader(body))
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%v %v", response, err)
		}
		response.Body.Close()
	}

	alert(time.Now().Add(time.Hour))
	open := d.newest(60*time.Second, "web", "is held by the gate unconfirmed", heldBy("unconfirmed"))
	d.kill()
	d.start()
	time.Sleep(75 * time.Second) // longer than a foreign source is fresh: only what is repeated keeps it up
	d.until(30*time.Second, "it is still DOWN and held after a restart and a minute of silence", func() bool {
		got := d.service("web")
		return got.Status == "DOWN" && got.Held == "unconfirmed" && got.OpenIncident == open.ID
	})
	alert(time.Now().Add(-time.Second))
	in := d.newest(60*time.Second, "web", "is resolved", resolved)
	if how(in) != "recovered" || len(actions(in)) != 0 {
		t.Errorf("it ended as %q, after %v", how(in), actions(in))
	}
}
