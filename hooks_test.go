package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/hook"
	"logstream/dashboard/view"
)

// TestWhatAnotherMonitorReportsIsNotRepairedUnconfirmed has Uptime Kuma report a
// service that our own check and its runtime find in order, and then that it is
// back.
func TestWhatAnotherMonitorReportsIsNotRepairedUnconfirmed(t *testing.T) {
	s := smallSetup(t, t.TempDir())
	s.config.Hooks = []hook.Config{{Name: "kuma", Kind: hook.UptimeKuma, Token: "a-token-of-uptime-kuma"}}
	a, _ := started(t, s)
	until(t, 20*time.Second, "it is UP", func() bool { return statuses(a.dashboard.now().Addr())["payment-service"] == "UP" })

	a.reports(t, "uptime-kuma_down")
	until(t, 40*time.Second, "an incident is held by the gate unconfirmed", func() bool {
		return statuses(a.dashboard.now().Addr())["payment-service"] == "DOWN" && a.incident("payment-service").Held == "unconfirmed"
	})
	held := a.incident("payment-service")
	if held.State != "open" || held.Attempts != 0 || held.Error != "connect ECONNREFUSED 127.0.0.1:5996" {
		t.Errorf("the incident is %+v", held)
	}
	a.reports(t, "uptime-kuma_up")
	until(t, 40*time.Second, "it is UP again", func() bool { return statuses(a.dashboard.now().Addr())["payment-service"] == "UP" })
	until(t, 40*time.Second, "the incident is resolved", func() bool { return a.incident("payment-service").State == "resolved" })
	if ended := a.incident("payment-service"); ended.Attempts != 0 || ended.How != "recovered" {
		t.Errorf("the incident ends as %+v", ended)
	}
}

// reports sends what Uptime Kuma has sent.
func (a *app) reports(t *testing.T, name string) {
	t.Helper()
	body, err := os.ReadFile("dashboard/hook/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", "http://"+a.dashboard.now().Addr()+"/api/v1/hooks/uptime-kuma", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer a-token-of-uptime-kuma")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		t.Fatalf("%s is answered with %s", name, answer.Status)
	}
}

// incident is the newest of a service.
func (a *app) incident(service string) view.Incident {
	answer, err := http.Get("http://" + a.dashboard.now().Addr() + "/api/v1/incidents?limit=1&service=" + service)
	if err != nil {
		return view.Incident{}
	}
	defer answer.Body.Close()
	var all []view.Incident
	if json.NewDecoder(answer.Body).Decode(&all) != nil || len(all) == 0 {
		return view.Incident{}
	}
	return all[0]
}
