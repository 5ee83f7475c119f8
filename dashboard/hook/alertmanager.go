package hook

import (
	"errors"
	"fmt"
	"strings"

	"logstream/internal/event"
)

// serviceLabels name the service of an alert, the most specific first: rules of
// one's own, cAdvisor's, Kubernetes' and Prometheus' own.
var serviceLabels = []string{"service", "name", "container", "job", "instance"}

// originOurs is the label origin of alerts on our own metrics: docs/alert-rules.yml.
const originOurs = "logstream"

// readAlertmanager reads version 4 of Alertmanager's webhook. Each alert is a
// source of its own: a service is as bad as its worst alert. An alert of the
// severity info or none says nothing about a service's health; one of the
// severity warning does not make it DOWN. One of LogStream's own is left out: as
// the report of another monitor it would keep up the outage that it is about.
func readAlertmanager(body []byte) ([]report, []string, error) {
	var sent struct {
		Alerts []struct {
			Status      string            `json:"status"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"alerts"`
	}
	if err := decode(body, &sent); err != nil {
		return nil, nil, err
	}
	switch {
	case sent.Alerts == nil:
		return nil, nil, errors.New(`"alerts" is missing: this is not the body of an Alertmanager webhook`)
	case len(sent.Alerts) > MaxReports:
		return nil, nil, &TooManyError{len(sent.Alerts)}
	}
	var reports []report
	var skipped []string
	skip := func(i int, format string, args ...any) {
		skipped = append(skipped, fmt.Sprintf("alert %d: ", i+1)+fmt.Sprintf(format, args...))
	}
	for i, a := range sent.Alerts {
		r := report{names: labelled(a.Labels), check: a.Labels["alertname"]}
		severity := a.Labels["severity"]
		switch {
		case len(r.names) == 0:
			skip(i, "no label names a service: set one of %s", strings.Join(serviceLabels, ", "))
			continue
		case a.Labels["origin"] == originOurs:
			skip(i, "it is an alert about LogStream itself (label origin: logstream)")
			continue
		case severity == "info" || severity == "none":
			skip(i, "its severity is %s", severity)
			continue
		case a.Status == "resolved":
			r.status = event.Up
		case a.Status != "firing":
			skip(i, "its status is neither firing nor resolved")
			continue
		case severity == "warning":
			r.status = event.Degraded
		default:
			r.status = event.Down
		}
		r.why = firstOf(a.Annotations["summary"], a.Annotations["description"], a.Annotations["message"])
		if r.why == "" {
			r.why = "the alert " + r.check + " is firing"
		}
		reports = append(reports, r)
	}
	return reports, skipped, nil
}

func labelled(labels map[string]string) []string {
	var names []string
	for _, label := range serviceLabels {
		names = append(names, labels[label])
	}
	return nonEmpty(names...)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
