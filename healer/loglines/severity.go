package loglines

import (
	"regexp"
	"strings"
)

// weight is how much a line says about a failure.
type weight int

const (
	closing weight = iota - 1 // says only that it is over, or how much failed
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
	// A level at the beginning of a line, after its time, name and process: in
	// brackets, alone in capitals, or before a colon.
	bracketed = regexp.MustCompile(`[\[<(](?:[\w.]+:)?(\w+)[\])>]`)
	capitals  = regexp.MustCompile(`\b([A-Z]{3,11})\b`)
	colon     = regexp.MustCompile(`(?:^|[\s\]|)])([A-Za-z]+)(?:\[\w+\])?:(?:\s|$)`)
	glog      = regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d`)
	redisMark = regexp.MustCompile(`^\d+:[A-Z] .{15,30} [.*#-] `)
	logfmt    = regexp.MustCompile(`(?:^|\s)(?:level|lvl|severity)=["']?(\w+)`)
	// In JSON, where a level may stand anywhere; in a text of it quotes are escaped.
	jsonLevel = regexp.MustCompile(`[{,]\s*"(?:level|severity|lvl|log\.level|@level|[lL]og[lL]evel|Level|Severity|s)"\s*:\s*(?:"(\w+)"|(\d+))`)

	methods = []string{"GET ", "POST ", "HEAD ", "PUT ", "PATCH ", "DELETE ", "OPTIONS "}
	access  = regexp.MustCompile(`(?:^|[\s"])(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+(?: HTTP/[\d.]+)?"?:? ([1-5]\d\d)\b`)
	// What a test, a check or an installation says when all is well, whatever its name.
	passed = regexp.MustCompile(`^\s*(?:✓|✔|√|ok\b|PASS\b|--- PASS|(?:Down|Up)load(?:ing|ed)\b|Install(?:ing|ed)\b|Compil(?:ing|ed)\b|Unpacking|Preparing|Setting up|Selecting|Get:\d|Collecting|Using cached|Fetched|added \d|=== RUN)|\bPASSED\b|\.\.\. ?ok\b`)
	// A test's or a compiler's own mark of a failure.
	flagged = regexp.MustCompile(`^\s*(?:✕|✗|✘|×|● |not ok \d|E {2,}\S|\d+\) (?:.*)?[Ff]ail|--- FAIL|FAIL:? |FAILED |ERR!|##\[error\]|::error|!! )|(?:^|\s)\S+\.\w+(?::\d+){1,2}: (?:fatal )?error\b|^error(?:\[E\d+\])?:|^\s*\S+\(\d+,\d+\): error |^>\s.* FAILED$`)
	benign  = regexp.MustCompile(`(?i)\b(?:(?:0|no) (?:errors?|failed|failures|failing|exceptions?|warnings?)|(?:errors?|failed|failures|skipped)["']?[=:] ?0\b|without errors?|error[ _-]?(?:handl|log|page|report)\w*)`)
	ends    = regexp.MustCompile(`(?i)(?:exit(?:ed|ing)?(?: \w+)?(?: with)?(?: (?:status|code|exit code))+[:= ]*-?\d+|exited with -?\d+|exit status \d+|^exiting\b|\bexit \d+$|shutting down|shut ?down (?:complete|hook)|terminat(?:ed|ing)\b|stopp(?:ed|ing)\b|process (?:exited|finished|completed)|a complete log of this run|received (?:sig|fast shutdown)|got signal|signal (?:15|term)|goodbye|bye\b|lifecycle script|^npm err! (?:code|path|command|errno \d|a complete|this is probably)|command failed|closing (?:connection|server|log)|aborting(?: any active.*)?\.?$|^make(?:\[\d+\])?: \*\*\*|build fail(?:ed|ure)|^failure: build|job failed|could not compile|due to \d+ previous|^tests?(?: suites)?:\s+\d|\d+ (?:passed|failed),|^fail\s+\S+\s+[\d.]+m?s$|^fail$|^\d+ (?:failing|errors?|failures?) ?(?:generated\.?)?$|^found \d+ (?:error|data race)|re-run maven|for more information about the error)`)
	minor   = regexp.MustCompile(`(?i)deprecat|npm warn|unused (?:variable|import|param)|development server|is not recommended|consider (?:using|upgrading)|new (?:major |minor )?version|vulnerabilit|memory overcommit`)
)

const (
	maxLevel  = 120 // bytes at the beginning of a line in which a level is searched
	maxAccess = 400 // and in which a request and its status are
	maxPhrase = 240 // and in which the phrases are: a longer line says more than a phrase
)

// weigh says how much a line says about a failure. A level that the line gives
// itself decides; a word of failure counts where it gives none.
func weigh(body string) weight {
	if status := accessStatus(body); status != "" {
		if status[0] == '5' {
			return hint
		}
		return routine
	}
	level, known := levelOf(body)
	head := body[:min(len(body), maxPhrase)]
	if level < failure && passed.MatchString(head) {
		return routine
	}
	speaks, isErrno := failingWords(body)
	isBenign := (speaks || level >= failure) && !isErrno && benign.MatchString(head)
	speaks = speaks && !isBenign
	switch {
	case level < fatal && !isErrno && len(body) == len(head) && ends.MatchString(body):
		return closing
	case flagged.MatchString(head):
		return max(level, failure)
	case (level == warning || !known && speaks) && minor.MatchString(head):
		return routine
	case known && level == routine && speaks:
		return hint // programs report their failures at the level of information, too
	case level >= failure && isBenign:
		return hint
	case known:
		return level
	case speaks:
		return hint
	}
	return routine
}

// accessStatus is the status in a line of an access log, or empty.
func accessStatus(body string) string {
	head := body[:min(len(body), maxAccess)]
	for _, method := range methods {
		if strings.Contains(head, method) {
			if m := access.FindStringSubmatch(head); m != nil {
				return m[1]
			}
			return ""
		}
	}
	return ""
}

func levelOf(body string) (weight, bool) {
	named := strings.Contains(body, "evel") || strings.Contains(body, "everity") || strings.Contains(body, "lvl")
	if named && strings.Contains(body, `":`) || strings.Contains(body, `"s":`) {
		if m := jsonLevel.FindStringSubmatch(body); m != nil {
			if w, is := jsonWeight(m[1], m[2]); is {
				return w, true
			}
		}
	}
	head := body[:min(len(body), maxLevel)]
	if m := glog.FindStringSubmatch(head); m != nil {
		return map[string]weight{"I": routine, "W": warning, "E": failure, "F": fatal}[m[1]], true
	}
	if redisMark.MatchString(head) {
		return routine, true // its highest mark is for what is worth noting, too
	}
	forms := []*regexp.Regexp{bracketed, capitals, colon}
	if named && strings.ContainsRune(body, '=') {
		if m := logfmt.FindStringSubmatch(body); m != nil {
			if w, is := levels[strings.ToLower(m[1])]; is {
				return w, true
			}
		}
	}
	for _, form := range forms {
		for _, m := range form.FindAllStringSubmatch(head, 8) {
			if w, is := levels[strings.ToLower(m[1])]; is {
				return w, true
			}
		}
	}
	return routine, false
}

// jsonWeight is a level in JSON: a word, a letter as MongoDB writes it, or a
// number as bunyan and pino count, of which 30 is info and 50 error.
func jsonWeight(word, number string) (weight, bool) {
	if w, is := levels[strings.ToLower(word)]; is {
		return w, true
	}
	if w, is := map[string]weight{"F": fatal, "E": failure, "W": warning, "I": routine, "D": routine}[word]; is {
		return w, true
	}
	if len(number) != 2 {
		return routine, false
	}
	return map[byte]weight{'4': warning, '5': failure, '6': fatal}[number[0]], true
}
