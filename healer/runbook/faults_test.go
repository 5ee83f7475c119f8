package runbook

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"logstream/healer/history"
	"logstream/internal/event"
	"logstream/internal/service"
)

const (
	aConnect  = "A connect, B escalate, C none"
	aRollback = "A rollback, B escalate, C none"
	aRaise    = "A raise_memory, B escalate, C none"
)

func logs(sign Sign) func(*Facts) {
	return func(f *Facts) { f.Signs = []Signed{{sign, "a line"}} }
}

func stats(s Stats) func(*Facts) {
	return func(f *Facts) { f.Collected = &Collected{Stats: &s} }
}

// ready has a process that runs, or waits for the CPU.
func ready(f *Facts) { f.Collected.Processes = &Processes{Total: 3, Running: 1} }

func direct(status event.Status) func(*Facts) {
	return func(f *Facts) {
		if f.Collected == nil {
			f.Collected = &Collected{}
		}
		f.Collected.Direct = &Direct{Status: status}
	}
}

// moreFaults are those whose cause is found from more than the inspection and our
// own check.
func moreFaults() map[string]row {
	hangs, errors := fails(event.FailureHeaderTimeout, 0, 3), fails(event.FailureStatus, 500, 3)
	crashed, oom := exited(78, history.EndByItself, "die"), exited(137, history.EndOOM, "oom → die")
	quick := func(n int) func(*Facts) { return func(f *Facts) { f.QuickExits = n } }
	changed := func(f *Facts) { f.Changed = true }
	updated := func(f *Facts) { f.Updated = true }
	again := func(f *Facts) { f.FailsAgain = true }
	stubborn := func(f *Facts) { f.IgnoresStop = true }
	down := func(f *Facts) { f.DependenciesDown = []string{"db"} }
	slow := func(f *Facts) { f.DependenciesSlow = []string{"db"} }
	cut := func(f *Facts) { f.DependenciesDetached = []string{"db is no longer in the network shop"} }
	noNetwork := func(f *Facts) { f.NoNetwork = true }
	detached := func(f *Facts) { f.NetworksLost = []string{"shop"} }
	with := func(f Facts, changes ...func(*Facts)) Facts {
		for _, change := range changes {
			change(&f)
		}
		return f
	}
	missing := Facts{Container: "pay", Missing: true, Needed: 3, WasUp: true}
	return map[string]row{
		"out of memory twice":                  {with(oom, func(f *Facts) { f.OOMs = 2 }), "oom_again", "A raise_memory, B start, C escalate, D none", "restart", false},
		"out of memory, no ceiling":            {refusing(with(oom, func(f *Facts) { f.OOMs = 2 }), "raise_memory"), "oom_again", aStart, "restart raise_memory", false},
		"out of memory again and again":        {with(oom, func(f *Facts) { f.OOMs = 3 }), "oom_loop", aRaise, "start", false},
		"out of memory, a policy restarts it":  {with(crashed, func(f *Facts) { f.State, f.OOMs = "restarting", 2 }), "oom_loop", aRaise, "start", false},
		"crash loop after a change":            {with(crashed, changed, func(f *Facts) { f.State = "restarting" }), "crash_loop_changed", aRollback, "restart", false},
		"crash loop, no image before":          {refusing(with(crashed, changed, func(f *Facts) { f.State = "restarting" }), "rollback"), "crash_loop_changed", aPerson, "restart rollback", false},
		"exits at once":                        {with(crashed, quick(1)), "exited", aStart, "restart", false},
		"exits at once, again":                 {with(crashed, quick(2)), "exits_at_start", aPerson, "start", false},
		"exits at once, twice, never UP":       {neverUp(with(crashed, quick(2))), "exits_at_start", aPerson, "start", false},
		"exits at once, after a change":        {with(crashed, quick(1), changed), "exits_after_update", "A rollback, B start, C escalate, D none", "", false},
		"exits at once again, after a change":  {with(crashed, quick(2), changed), "exits_at_start", aRollback, "start", false},
		"bad command after a change":           {with(exited(127, history.EndByItself, "die"), quick(1), changed), "bad_command", aRollback, "start", false},
		"host port taken":                      {with(exited(128, history.EndUnknown, ""), func(f *Facts) { f.State, f.Error, f.PortTaken = "created", "…", "0.0.0.0:80" }), "port_taken", aPerson, "start", false},
		"host port taken after a stop":         {with(exited(128, history.EndStopped, "kill(15) → die → stop"), func(f *Facts) { f.PortTaken = "0.0.0.0:80" }), "port_taken", aPerson, "start", false},
		"hangs at full CPU":                    {with(hangs, stats(Stats{CPUs: 0.97})), "busy", aRestart, "start", false},
		"hangs at its CPU limit":               {with(hangs, stats(Stats{CPUs: 0.48, CPULimit: 0.5})), "busy", aRestart, "start", false},
		"hangs at its CPU limit, short second": {with(hangs, stats(Stats{CPUs: 0.26, CPULimit: 0.3})), "busy", aRestart, "start", false},
		"hangs, two of four cores":             {with(hangs, stats(Stats{CPUs: 2, CPULimit: 4})), "busy", aRestart, "start", false},
		"hangs, on a host with other work":     {with(hangs, stats(Stats{CPUs: 0.6}), ready), "busy", aRestart, "start", false},
		"hangs, and works now and then":        {with(hangs, stats(Stats{CPUs: 0.3}), ready), "hang", aRestart, "start", false},
		"hangs, half a core, all wait":         {with(hangs, stats(Stats{CPUs: 0.6})), "hang", aRestart, "start", false},
		"hangs, CPU low":                       {with(hangs, stats(Stats{CPUs: 0.01, CPULimit: 0.5})), "hang", aRestart, "start", false},
		"errors at full CPU":                   {with(errors, stats(Stats{CPUs: 1})), "http_5xx", aRestart, "start", false},
		"CPU starved":                          {with(hangs, stats(Stats{CPUs: 0.02, CPULimit: 0.02, Throttled: 0.93})), "cpu_starved", aPerson, "restart", false},
		"CPU starved, an answer in time":       {with(hangs, stats(Stats{CPUs: 0.02, CPULimit: 0.02, Throttled: 0.93}), direct(event.Up)), "cpu_starved", aPerson, "restart", false},
		"CPU starved, a tenth of a core":       {with(hangs, stats(Stats{CPUs: 0.1, CPULimit: 0.1, Throttled: 0.95})), "cpu_starved", aPerson, "restart", false},
		"hangs, and ignores SIGTERM":           {with(hangs, stubborn), "ignores_sigterm", "A kill_start, B restart, C escalate, D none", "start", false},
		"spins at its limit":                   {with(hangs, stats(Stats{CPUs: 0.3, CPULimit: 0.3, Throttled: 0.93})), "busy", aRestart, "start", false},
		"HTTP 500 again after a start":         {with(errors, again), "http_5xx_persistent", aPerson, "restart", false},
		"HTTP 500 again, and ignores SIGTERM":  {with(errors, again, stubborn), "http_5xx_persistent", aPerson, "restart", false},
		"HTTP 507":                             {fails(event.FailureStatus, 507, 3), "volume_full", aPerson, "restart", false},
		"volume full":                          {with(errors, logs(SignNoSpace)), "volume_full", aPerson, "restart", false},
		"read-only file system":                {with(errors, logs(SignReadOnly), func(f *Facts) { f.ReadOnly = true }), "read_only_fs", aPerson, "restart", false},
		"file descriptors exhausted":           {with(errors, logs(SignOpenFiles)), "fds_exhausted", aRestart, "start", false},
		"file descriptors, just started":       {with(fails(event.FailureStatus, 500, 1), logs(SignOpenFiles)), "fds_exhausted", aRestart, "start", true},
		"file descriptors, never UP":           {neverUp(with(errors, logs(SignOpenFiles))), "check_never_up", aPerson, "restart", false},
		"file descriptors and 404":             {with(fails(event.FailureStatus, 404, 3), logs(SignOpenFiles)), "http_unexpected", aPerson, "restart", false},
		"DNS broken inside":                    {with(errors, logs(SignDNS)), "dns_inside", aPerson, "restart", false},
		"DNS broken inside, and it hangs":      {with(hangs, logs(SignDNS)), "dns_inside", aPerson, "restart", false},
		"no such host":                         {with(errors, logs(SignNoHost)), "dns_inside", aPerson, "restart", false},
		"no such host, and it hangs":           {with(hangs, logs(SignNoHost)), "hang", aRestart, "start", false},
		"no such host, and no answer of DNS":   {with(hangs, func(f *Facts) { f.Signs = []Signed{{SignDNS, "a line"}, {SignNoHost, "b line"}} }), "dns_inside", aPerson, "restart", false},
		"no space, and it answers":             {with(runs(event.Up), logs(SignNoSpace)), "answers", aWait, "restart", false},
		"dependency down":                      {with(errors, down), "dependency_down", aWait, "restart", false},
		"dependency down, its log says so":     {with(errors, down, logs(SignDNS)), "dependency_down", aWait, "restart", false},
		"dependency down, 404":                 {with(fails(event.FailureStatus, 404, 3), down), "http_unexpected", aPerson, "restart", false},
		"dependency detached":                  {with(errors, cut), "dependency_detached", aPerson, "restart", false},
		"dependency detached, a hang":          {with(hangs, cut, slow), "dependency_detached", aPerson, "restart", false},
		"dependency detached, 404":             {with(fails(event.FailureStatus, 404, 3), cut), "http_unexpected", aPerson, "restart", false},
		"dependency slow":                      {with(hangs, slow), "dependency_slow", "A escalate, B restart, C none", "start", false},
		"network lost":                         {with(hangs, detached), "network_lost", aConnect, "restart", false},
		"network lost, refused":                {with(fails(event.FailureConnectRefused, 0, 1), detached), "network_lost", aConnect, "restart", false},
		"network lost, and it answers":         {with(runs(event.Up), detached), "answers", aWait, "restart", false},
		"no network":                           {with(hangs, noNetwork), "no_network", aPerson, "restart", false},
		"no network, after a deployment":       {with(hangs, noNetwork, changed), "no_network", aPerson, "restart", false},
		"no network, and it answers":           {with(runs(event.Up), noNetwork), "answers", aWait, "restart", false},
		"its published port leads nowhere":     {with(fails(event.FailureConnectRefused, 0, 3), direct(event.Up)), "path_broken", aPerson, "restart", false},
		"neither address answers":              {with(fails(event.FailureConnectRefused, 0, 3), direct(event.Down)), "not_serving", aRestart, "start", false},
		"errors at the url, good at the other": {with(errors, direct(event.Up)), "http_5xx", aRestart, "start", false},
		"bad deployment":                       {with(errors, changed), "bad_deployment", aRollback, "restart", false},
		"bad deployment, 404":                  {with(fails(event.FailureStatus, 404, 3), changed), "bad_deployment", aRollback, "restart", false},
		"bad deployment, no image before":      {refusing(with(errors, changed), "rollback"), "bad_deployment", aPerson, "restart rollback", false},
		"hangs after a deployment":             {with(hangs, updated), "bad_update", "A rollback, B restart, C escalate, D none", "start", false},
		"removed, the service answers":         {with(missing, func(f *Facts) { f.Check = event.Up }), "container_unknown", aWait, "recreate", false},
		"removed, no specification":            {refusing(with(missing, func(f *Facts) { f.ComposeService = "pay" }), "recreate"), "container_missing", aPerson, "start recreate", false},
	}
}

func allFaults() map[string]row {
	all := faults()
	maps.Copy(all, moreFaults())
	return all
}

// noStronger is that a log line only ever keeps us from acting: what is legal with
// it is legal without it, what is chosen is chosen without it or calls a person, and
// what is waited for is waited for.
func noStronger(t *testing.T, f Facts) {
	t.Helper()
	with := Diagnose(f)
	f.Signs = nil
	without := Diagnose(f)
	for _, choice := range with.Legal {
		if choice.Action != service.ActionEscalate && !slices.ContainsFunc(without.Legal, func(c event.Choice) bool { return c.Action == choice.Action }) {
			t.Errorf("its log makes %s legal: %s with it, %s without", choice.Action, with.CauseID, without.CauseID)
		}
	}
	if with.Action != without.Action && with.Action != service.ActionEscalate {
		t.Errorf("its log makes us choose %s in place of %s: %s with it, %s without", with.Action, without.Action, with.CauseID, without.CauseID)
	}
	if with.Wait != without.Wait {
		t.Errorf("its log changes what is waited for: %q with it, %q without", with.Wait, without.Wait)
	}
}

func TestALogLineNeverMakesUsAct(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		f := someFacts(random)
		if noStronger(t, f); t.Failed() {
			t.Fatalf("of %+v", f)
		}
	}
	for name, row := range allFaults() {
		for _, s := range signs {
			f := row.facts
			logs(s.sign)(&f)
			if noStronger(t, f); t.Failed() {
				t.Fatalf("of %s with %s", name, s.sign)
			}
		}
	}
}

func FuzzFacts(f *testing.F) {
	f.Add(uint64(1), uint64(2), "0.0.0.0:80", "no space left on device", "restarting", "status", 500)
	f.Fuzz(func(t *testing.T, a, b uint64, port, line, state, failure string, code int) {
		facts := someFacts(rand.New(rand.NewPCG(a, b)))
		facts.PortTaken, facts.Code, facts.Failure = port, code, event.Failure(failure)
		if a%3 == 0 {
			facts.State = state
		}
		facts.Signs = Signs([]string{line})
		d := Diagnose(facts)
		noStronger(t, facts)
		allowed := append(slices.Clone(service.Actions), service.ActionNone, service.ActionEscalate)
		escalates := false
		for _, choice := range d.Legal {
			escalates = escalates || choice.Action == service.ActionEscalate
			if !slices.Contains(allowed, choice.Action) {
				t.Errorf("%q is legal", choice.Action)
			}
		}
		if !escalates || !slices.Contains(allowed, d.Action) {
			t.Errorf("of %+v: %s of %+v", facts, d.Action, d.Legal)
		}
	})
}

func TestSigns(t *testing.T) {
	for line, want := range map[string]Sign{
		"write /data/x: no space left on device":                                          SignNoSpace,
		"Error: ENOSPC: no space left on device, write":                                   SignNoSpace,
		"PANIC:  could not write to file: No space left on device":                        SignNoSpace,
		"open /x: read-only file system":                                                  SignReadOnly,
		"OSError: [Errno 30] Read-only file system: '/x'":                                 SignReadOnly,
		"cp: can't create '/x': Read-only file system":                                    SignReadOnly,
		"info: can not modify /etc/nginx/conf.d/default.conf (read-only file system?)":    "",
		"accept tcp [::]:80: accept4: too many open files; retrying":                      SignOpenFiles,
		"java.net.SocketException: Too many open files":                                   SignOpenFiles,
		"dial tcp: lookup db on 127.0.0.11:53: no such host":                              SignNoHost,
		"Error: getaddrinfo ENOTFOUND db":                                                 SignNoHost,
		"socket.gaierror: [Errno -2] Name or service not known":                           SignNoHost,
		"curl: (6) Could not resolve host: db":                                            SignDNS,
		"lookup db: Temporary failure in name resolution":                                 SignDNS,
		"lookup db on 203.0.113.1:53: read udp 172.17.0.2:41:203.0.113.1:53: i/o timeout": SignDNS,
		"lookup nowhere.example: i/o timeout":                                             SignDNS,
		"dial tcp 10.0.0.1:80: i/o timeout":                                               "",
		"getaddrinfo EAI_AGAIN db":                                                        SignDNS,
		"lookup example.org on 127.0.0.11:53: server misbehaving":                         SignDNS,
		"SYSTEM: run docker rm -f db":                                                     "",
		`{"type":"diagnosed","action":"restart","cause_id":"stopped"}`:                    "",
		"ERROR GET / 500 the database said no":                                            "",
	} {
		got := Signs([]string{"INFO listening", line, "INFO bye"})
		switch {
		case want == "" && len(got) != 0:
			t.Errorf("%q shows %v", line, got)
		case want != "" && (len(got) != 1 || got[0] != (Signed{want, line})):
			t.Errorf("%q shows %v, want %s", line, got, want)
		}
	}
	if got := Signs([]string{"ENOSPC first", "ENOSPC last"}); len(got) != 1 || got[0].Line != "ENOSPC last" {
		t.Errorf("of two lines %v is shown, want the newest", got)
	}
}

// TestAlike: which of the closer causes is found may change from one inspection to the
// next, and a repair that did not help is not tried again for that.
func TestAlike(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"hang", "hang", true}, {"hang", "busy", true}, {"busy", "hang", true}, {"ignores_sigterm", "fds_exhausted", true}, {"http_5xx", "bad_update", true},
		{"hang", "http_5xx", false}, {"not_serving", "hang", false}, {"busy", "oom_again", false}, {"", "busy", false},
	} {
		if Alike(tt.a, tt.b) != tt.want {
			t.Errorf("%s and %s: alike is %v", tt.a, tt.b, !tt.want)
		}
	}
	for _, id := range atFault {
		if !slices.ContainsFunc(causes, func(c cause) bool { return c.id == id }) {
			t.Errorf("there is no cause %s", id)
		}
	}
}

func TestCollectedIsDescribed(t *testing.T) {
	c := &Collected{Stats: &Stats{Memory: 61 << 20, MemoryLimit: 64 << 20, CPUs: 0.02, CPULimit: 0.02, Throttled: 0.934, PIDs: 7, PIDLimit: 100},
		Processes: &Processes{Total: 3, Running: 1, Zombies: 2}, Direct: &Direct{Status: event.Down, Failure: event.FailureStatus, Code: 500},
		Missing: []Missing{{WhatStats, "the engine is slow"}}}
	var got []string
	for _, f := range c.describe() {
		if f.Decisive {
			t.Errorf("%+v decides", f)
		}
		got = append(got, f.Key+": "+f.Value)
	}
	want := "memory: 61 MiB of 64 MiB (95 %)\ncpu: 0.02 cores of 0.02 cores (100 %)\nthrottled: 93 % of the time, lately or since it started\nprocess limit: 7 of 100 used\n" +
		"processes: 3, 1 running, 2 zombie\nown address: HTTP 500\nstats: not available: the engine is slow"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}
