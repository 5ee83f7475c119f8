package runbook

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"logstream/internal/service"
)

// cause is one thing that can be wrong, and what may be done about it.
//
// Its texts may hold {container}, {exit}, {http}, {state}, {parent}, {engine} (what
// the engine said), {check} (our own check's sentence), {port}, {networks},
// {dependencies}, {detached}, {times} (how often it ended alike), {compose}, {said} (the log
// line that shows its sign) and {log} (the line that says most; the last three may
// be empty). Those that change while
// the cause stays the same belong into why alone: a diagnosis whose other texts
// differ is written again.
type cause struct {
	id            string // stable, in snake_case: a contract
	match         func(Facts) bool
	present, past string // one sentence each
	confidence    float64
	why           string   // a clause that can stand as a sentence after the cause
	legal         []option // best first; escalate is always one of them. None: a person is called
	wrong         []option // actions that a person may think of, and what speaks against them
	// shown are the signs in the log one of which match asks for, or none: a cause
	// that rests on a log line. Such a cause takes actions from the one that would be found
	// without the log, and gives none (see Diagnose).
	shown []Sign
	// wait says what has to come before anything is decided, or empty; nil where
	// nothing is waited for.
	wait func(Facts) string
}

// option is an action with what speaks for it, or against it.
type option struct{ action, why string }

// The actions that are legal for more than one cause.
var (
	start     = option{service.ActionStart, "it is not running, and starting it loses nothing"}
	restart   = option{service.ActionRestart, "a new process may serve again; what is in memory is lost"}
	killStart = option{service.ActionKillStart, "it ignored its stop signal before, so a restart would wait in vain for its stop time-out"}
	rollback  = option{service.ActionRollback, "it was healthy with the image before"}
	raise     = option{service.ActionRaiseMemory, "with more memory it may go on"}
	person    = option{service.ActionEscalate, "a person investigates"}
	nothing   = option{service.ActionNone, "wait until a fact changes"}
)

// causes are all of them: the first that matches is the cause. The last of all
// matches anything.
var causes = orPerson(slices.Concat(containerCauses, endedCauses, pushCauses, networkCauses, runningCauses, []cause{{ // the engine reports a state that LogStream has no rule for
	id:         "unknown_state",
	match:      func(Facts) bool { return true },
	present:    "The container is in an unknown state.",
	past:       "The container was in an unknown state.",
	confidence: 0.5,
	why:        `LogStream has no rule for the state "{state}"`,
}}))

// orPerson has a person called where a cause makes nothing else legal.
func orPerson(all []cause) []cause {
	for i := range all {
		if all[i].legal == nil {
			all[i].legal = []option{person, nothing}
		}
	}
	return all
}

// starts is a cause of a container that does not run: a start repairs it.
func starts(c cause) cause {
	c.legal, c.wrong = []option{start, person, nothing}, notRunning
	return c
}

// restarts is a cause of a container that runs: a restart may repair it, once
// wait lets it.
func restarts(wait func(Facts) string, c cause) cause {
	c.legal, c.wrong, c.wait = []option{restart, person, nothing}, alreadyRunning, wait
	return c
}

func find(f Facts) cause {
	return causes[slices.IndexFunc(causes, func(c cause) bool { return c.match(f) })]
}

// filler puts facts into a cause's texts.
func filler(f Facts, shown []Sign) func(string) string {
	said := ""
	for _, sign := range shown {
		if line, is := lineOf(f, sign); is {
			said = "; its log says: " + line
			break
		}
	}
	line := ""
	if f.KeyLine != "" {
		line = "; its log says: " + f.KeyLine
	}
	compose := ""
	if f.ComposeService != "" {
		compose = " " + f.ComposeService
	}
	return func(text string) string {
		if !strings.Contains(text, "{") {
			return text
		}
		return strings.NewReplacer(
			"{container}", f.Container,
			"{exit}", strconv.Itoa(f.ExitCode),
			"{http}", strconv.Itoa(f.Code),
			"{state}", f.State,
			"{engine}", f.Error,
			"{parent}", f.Parent,
			"{check}", cmp.Or(f.Worse, f.CheckError, "the check gave no reason"),
			"{port}", f.PortTaken,
			"{networks}", strings.Join(f.NetworksLost, ", "),
			"{dependencies}", strings.Join(append(slices.Clone(f.DependenciesDown), f.DependenciesSlow...), ", "),
			"{detached}", strings.Join(f.DependenciesDetached, ", "),
			"{compose}", compose,
			"{said}", said,
			"{log}", line,
			"{times}", strconv.Itoa(f.QuickExits),
		).Replace(text)
	}
}
