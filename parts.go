package main

import (
	"logstream/dashboard"
	"logstream/internal/config"
)

// What the dashboard shows of the parts.

func (a *app) busInfo() dashboard.BusInfo {
	s := a.bus.Status()
	info := dashboard.BusInfo{Kind: s.Kind, Brokers: s.Brokers, OK: s.OK, Error: s.Error, Dropped: a.bus.Dropped()}
	info.DiskBytes, info.MaxBytes = a.bus.Disk()
	return info
}

// configError is why the newest file is not in use, or empty.
func (a *app) configError() string {
	if a.watcher == nil {
		return ""
	}
	return a.watcher.Problem()
}

// configErrors are all errors of that file.
func (a *app) configErrors() []dashboard.ConfigFinding {
	if a.watcher == nil {
		return nil
	}
	return findings(a.watcher.Findings())
}

func findings(list []config.Finding) []dashboard.ConfigFinding {
	shown := make([]dashboard.ConfigFinding, len(list))
	for i, f := range list {
		shown[i] = dashboard.ConfigFinding{File: f.File, Line: f.Line, Column: f.Column, Key: f.Key, Value: f.Value, Message: f.Message, Suggestion: f.Suggestion, Excerpt: f.Excerpt, Caret: f.Caret}
	}
	return shown
}
