package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"logstream/healer/eval"
	"logstream/healer/llm/llmtest"
	"logstream/internal/raced"
	"logstream/internal/service"
)

// evaluated is what eval --json prints.
type evaluated struct {
	Model     string
	Score     eval.Score
	Incidents []eval.Result
}

func evaluate(t *testing.T, args ...string) evaluated {
	t.Helper()
	code, out, failed := logstream(append([]string{"eval", "--json"}, args...)...)
	var got evaluated
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone || failed != "" {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, failed)
	}
	return got
}

func TestEvalScoresTheRunbook(t *testing.T) {
	raced.Skip(t)
	got := evaluate(t)
	if s := got.Score; s.Incidents == 0 || s.Runbook.Right != s.Incidents || s.Model != nil || got.Model != "" || len(got.Incidents) != s.Incidents {
		t.Errorf("%+v", s)
	}
	name := got.Incidents[0].Name
	code, out, failed := logstream("eval", "--only", name)
	for _, part := range []string{"Replaying 1 incident, recorded on Docker", name, "runbook: ✅ ", "runbook: right in 1 of 1"} {
		if code != exitDone || failed != "" || !strings.Contains(out, part) {
			t.Errorf("exit %d, no %q in:\n%s%s", code, part, out, failed)
		}
	}
}

// TestEvalScoresAModel of a scripted server, which calls a person whatever the question.
func TestEvalScoresAModel(t *testing.T) {
	raced.Skip(t)
	model := llmtest.Start(t, "m", llmtest.Choose(service.ActionEscalate, "It broke."))
	path := written(t, fmt.Sprintf("healer: {llm: {url: %q}}\nservices: [{name: web, url: 'http://a'}]\n", model.URL))
	got := evaluate(t, "--model", "m", "--config", path, "--only", "kill,stop,pause,exit,http-500,crash-loop-under-always,one-shot-job")
	toEscalate := 0
	for _, r := range got.Incidents {
		right := len(r.Right) == 1 && r.Right[0] == service.ActionEscalate
		if right {
			toEscalate++
		}
		if r.Model == nil || r.Model.Action != service.ActionEscalate || (r.Model.Verdict == eval.Right) != right && len(r.Right) == 1 {
			t.Errorf("%s: right is %v, the model's choice %+v", r.Name, r.Right, r.Model)
		}
	}
	queries := model.Queries()
	if s := got.Score; s.Model == nil || s.Model.Right < toEscalate || s.Model.Right == s.Incidents || s.Done.Harmful != 0 || s.Incidents != 7 || toEscalate != 2 || len(queries) < 7 {
		t.Errorf("%+v, model %+v, %d queries", s, s.Model, len(queries))
	}
	if text := queries[0].Messages[1].Content; !strings.Contains(text, "Facts (* marks a decisive one)") {
		t.Errorf("it was queried with %q", text)
	}
	_, out, _ := logstream("eval", "--model", "m", "--config", path, "--only", got.Incidents[0].Name)
	if !strings.Contains(out, "\nm: ") || !strings.Contains(out, "LogStream with m and the runbook: right in 1 of 1") {
		t.Errorf("it prints\n%s", out)
	}
}

func TestEvalRefuses(t *testing.T) {
	model := llmtest.Start(t, "m", llmtest.Say("{}"))
	path := written(t, fmt.Sprintf("healer: {llm: {url: %q}}\nservices: [{name: web, url: 'http://a'}]\n", model.URL))
	far := written(t, "healer: {llm: {url: 'http://127.0.0.1:1'}}\nservices: [{name: web, url: 'http://a'}]\n")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--only", "crash-without-a-chek"}, exitStartupFailure, `unknown incident "crash-without-a-chek"; did you mean "crash-without-a-check"?`},
		{[]string{"--only", "x"}, exitStartupFailure, `unknown incident "x"; logstream eval prints the names`},
		{[]string{"--model", "other", "--config", path}, exitFailed, "Ollama has no model other: ollama pull other"},
		{[]string{"--model", " ", "--config", path}, exitStartupFailure, `--model: " " is not the name of a model`},
		{[]string{"--model", "m", "--config", "nowhere.yaml"}, exitStartupFailure, "nowhere.yaml"},
		{[]string{"--model", ""}, exitStartupFailure, "--model: the name is missing"},
		{[]string{"--model", "m", "--config", far}, exitFailed, "nothing listens at http://127.0.0.1:1 (healer.llm.url in "},
		{[]string{"now"}, exitStartupFailure, `unexpected argument "now"`},
	} {
		if code, out, failed := logstream(append([]string{"eval"}, tt.args...)...); code != tt.code || !strings.Contains(failed, tt.says) || out != "" {
			t.Errorf("eval %v: exit %d, %s%s", tt.args, code, out, failed)
		}
	}
}
