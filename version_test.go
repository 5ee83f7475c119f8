package main

import (
	"runtime/debug"
	"testing"
)

// TestVersionIsTheLinkersThenTheBuilds: a release says what its script gave the
// linker, and what go build made says what Git said.
func TestVersionIsTheLinkersThenTheBuilds(t *testing.T) {
	const revision = "0123456789abcdef0123456789abcdef01234567"
	git := &debug.BuildInfo{Main: debug.Module{Version: "v1.1.1-0.20261129040000-0123456789ab+dirty"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: revision}, {Key: "vcs.time", Value: "2026-11-29T04:00:00Z"}}}
	for _, c := range []struct {
		what   string
		linked build
		info   *debug.BuildInfo
		want   string
	}{
		{"a release", build{"v1.2.0", "fedcba98765432100123", "2026-11-28T00:00:00Z", "go1.26.8"}, git, "logstream v1.2.0 (commit fedcba987654, 2026-11-28T00:00:00Z, go1.26.8)"},
		{"go build", build{Go: "go1.26.8"}, git, "logstream v1.1.1-0.20261129040000-0123456789ab+dirty (commit 0123456789ab, 2026-11-29T04:00:00Z, go1.26.8)"},
		{"without Git", build{Go: "go1.26.8"}, &debug.BuildInfo{}, "logstream (devel) (go1.26.8)"},
	} {
		if got := buildOf(c.linked, c.info).line(); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
