package loglines

import (
	"encoding/json"
	"regexp"
	"strings"
)

// weight is how much a line says about a failure.
type weight int

const (
	closing weight = iota - 1 // says only that it is over
	routine                   // an information, or nothing that is known here
	hint                      // a word of failure, in a line without a level
	warning
	failure
	fatal
)

// levels are the words of structured and of plain levels.
var levels = map[string]weight{
	"trace": routine, "debug": routine, "dbg": routine, "info": routine, "inf": routine, "information": routine, "notice": routine, "note": routine, "log": routine, "verbose": routine, "detail": routine, "statement": routine, "hint": routine,
	"warn": warning, "wrn": warning, "warning": warning,
	"error": failure, "err": failure, "eror": failure, "severe": failure, "fail": failure, "failed": failure, "failure": failure, "exception": failure,
	"fatal": fatal, "ftl": fatal, "panic": fatal, "crit": fatal, "critical": fatal, "alert": fatal, "emerg": fatal, "emergency": fatal, "dpanic": fatal,
}

var (
	// A level at the beginning of a line, after its time, name and process; in
	// brackets, before a colon, or alone in capitals.
	bracketed = regexp.MustCompile(`[\[<(](\w+)[\])>]`)
	capitals  = regexp.MustCompile(`\b([A-Z]{3,11})\b`)
	colon     = regexp.MustCompile(`(?:^|[\s\]|])([A-Za-z]+):\s`)
	logfmt    = regexp.MustCompile(`(?:^|\s)(?:level|lvl|severity)=["']?(\w+)`)
	glog      = regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d`)
	redis     = regexp.MustCompile(`^\d+:[A-Z] .{15,30} ([.*#-]) `)

	failing = regexp.MustCompile(`(?i)\b(?:\w*exception|\w+error|errors?|e[A-Z]{4,}|failed|failure|fail(?:s|ing)?|fatal|panic(?:ked)?|cannot|can't|can ?not|could not|couldn't|unable|refused|denied|forbidden|unauthorized|timed?[ -]?out|timeout|not found|no such|no space|out of memory|oom|segfault|segmentation fault|sig(?:segv|abrt|bus|kill)|core dumped|traceback|abort(?:ed|ing)?|corrupt(?:ed|ion)?|invalid|illegal|unexpected|undefined|unhandled|uncaught|deadlock|too many|exceeded|exhausted|missing|unreachable|unavailable|broken pipe|reset by peer|killed|crash(?:ed)?|expired|mismatch|conflict|already in use|read-only|not permitted|overflow|unknown host|bad gateway|stack ?trace)\b`)
	errno   = regexp.MustCompile(`\bE(?:NOSPC|ROFS|ACCES|PERM|MFILE|NFILE|NOENT|ADDRINUSE|CONNREFUSED|CONNRESET|TIMEDOUT|PIPE|NOMEM|IO|XIST|HOSTUNREACH|AI_AGAIN)\b`)
	benign  = regexp.MustCompile(`(?i)\b(?:0 (?:errors?|failed|failures)|no errors?|errors?[=:] ?0\b|without errors?|failed[=:] ?0\b|(?:error|exception)[ -]?handler|log_error|errors\.go)\b`)
	ends    = regexp.MustCompile(`(?i)(?:exit(?:ed|ing)?(?: with)?(?: (?:status|code))+[:= ]*-?\d+|exit status \d+|\bexiting\b|shutting down|shut ?down (?:complete|completed|hook)|terminat(?:ed|ing)\b|stopp(?:ed|ing)\b|process (?:exited|finished|completed)|a complete log of this run|received signal|got signal|signal (?:15|term)|goodbye|bye\b|lifecycle script|command failed|closing (?:connection|server|log)|aborting\.?$)`)
)

// maxLevel is within how many bytes of a line a level is looked for.
const maxLevel = 120

// weigh says how much a line says about a failure. A level that the line gives
// itself decides; a word of failure counts where it gives none, and lifts a
// warning.
func weigh(line string) weight {
	level, known := levelOf(line)
	speaks := (failing.MatchString(line) || errno.MatchString(line)) && !benign.MatchString(line)
	switch {
	case ends.MatchString(line) && level < fatal && !errno.MatchString(line):
		return closing
	case known && level == routine && speaks:
		return hint // programs report their failures at the level of information, too
	case known:
		return level
	case speaks:
		return hint
	}
	return routine
}

func levelOf(line string) (weight, bool) {
	if w, is := structured(line); is {
		return w, true
	}
	head := line[:min(len(line), maxLevel)]
	if m := glog.FindStringSubmatch(head); m != nil {
		return map[string]weight{"I": routine, "W": warning, "E": failure, "F": fatal}[m[1]], true
	}
	if m := redis.FindStringSubmatch(head); m != nil {
		return map[string]weight{".": routine, "-": routine, "*": routine, "#": warning}[m[1]], true
	}
	for _, form := range []*regexp.Regexp{logfmt, bracketed, capitals, colon} {
		for _, m := range form.FindAllStringSubmatch(head, 8) {
			if w, is := levels[strings.ToLower(m[1])]; is {
				return w, true
			}
		}
	}
	return routine, false
}

// structured reads the level of a line that is a JSON object.
func structured(line string) (weight, bool) {
	from := strings.IndexByte(line, '{')
	if from < 0 || !strings.HasSuffix(line, "}") {
		return 0, false
	}
	var object map[string]any
	if json.Unmarshal([]byte(line[from:]), &object) != nil {
		return 0, false
	}
	for _, name := range []string{"level", "severity", "lvl", "log.level", "s", "@level", "loglevel", "Level"} {
		switch value := object[name].(type) {
		case string:
			if w, is := levels[strings.ToLower(value)]; is {
				return w, true
			}
			if w, is := map[string]weight{"F": fatal, "E": failure, "W": warning, "I": routine, "D": routine}[value]; is {
				return w, true
			}
		case float64: // as bunyan and pino count: 30 is info, 50 error
			switch {
			case value >= 60:
				return fatal, true
			case value >= 50:
				return failure, true
			case value >= 40:
				return warning, true
			case value >= 10:
				return routine, true
			}
		}
	}
	return 0, false
}
