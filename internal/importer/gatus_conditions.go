package importer

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one of Gatus's: what is compared, how, and the value.
var condition = regexp.MustCompile(`^\s*(?:\[([A-Z_]+)\](\S*)|(\S.*?))\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*$`)

// expect turns the conditions into expectations, and notes those that have none.
func (e *entry) expect(to *section, conditions []string, web bool) {
	status, judged := every(100, 599), false
	values := map[string]string{}
	for _, c := range conditions {
		parts := condition.FindStringSubmatch(c)
		if parts == nil || parts[3] != "" {
			e.lost("the condition %s", c)
			continue
		}
		what, at, how, value := parts[1], parts[2], parts[4], parts[5]
		ok := false
		switch what {
		case "STATUS":
			ok = keep(status, how, value)
			judged = judged || ok
		case "CONNECTED":
			ok = how == "==" && value == "true" // it is what every check is about
		case "DNS_RCODE":
			ok = how == "==" && value == "NOERROR" // so is this
		case "RESPONSE_TIME":
			if ms, err := strconv.Atoi(value); err == nil && ms > 0 && (how == "<" || how == "<=") {
				to.set("latency", time.Duration(ms)*time.Millisecond)
				e.note("slower than %d ms is DEGRADED in LogStream, not DOWN", ms)
				ok = true
			}
		case "CERTIFICATE_EXPIRATION":
			if d, err := time.ParseDuration(value); err == nil && (how == ">" || how == ">=") {
				const day = 24 * time.Hour
				to.set("certificate_days", min(int((d+day-1)/day), 365))
				e.note("a certificate that ends within %s is DEGRADED in LogStream, not DOWN", value)
				ok = true
			}
		case "BODY":
			ok = e.body(to, values, at, how, value)
		}
		if !ok {
			e.lost("the condition %s", c)
		}
	}
	if web && !judged {
		to.set("status", "100-599") // as there, any answer is good
	} else if judged {
		to.set("status", ranges(status))
	}
	if len(values) > 0 {
		to.set("json", values)
	}
}

// body turns a condition on the body into an expectation.
func (e *entry) body(to *section, values map[string]string, at, how, value string) bool {
	pattern, isPattern := strings.CutPrefix(value, "pat(")
	pattern = globs(strings.TrimSuffix(pattern, ")"))
	_, notANumber := strconv.ParseFloat(value, 64)
	switch {
	case strings.Contains(value, "any("), strings.Contains(value, "["), strings.ContainsAny(at, "()"), values[jsonPath(at)] != "":
		return false
	case at == "" && how == "==" && isPattern:
		to.set("body", literal(pattern))
	case at == "" && how == "==":
		to.set("body", literal("^"+regexp.QuoteMeta(value)+"$"))
	case at == "":
		return false
	case how == "==" && isPattern:
		values[jsonPath(at)] = literal("~" + pattern)
	case how == "==":
		values[jsonPath(at)] = variables(exactly(value))
	case how == "!=" && !isPattern, notANumber == nil:
		values[jsonPath(at)] = variables(how + value)
	default:
		return false
	}
	return true
}

// exactly is a value as json expects it, where it may begin as an operator does.
func exactly(value string) string {
	if strings.HasPrefix(value, "=") || !strings.ContainsAny(value[:min(1, len(value))], "><!~") {
		return value
	}
	return "~^" + regexp.QuoteMeta(value) + "$$"
}

// index is an element of a list in a path.
var index = regexp.MustCompile(`\[(\d+)\]`)

// jsonPath is .data[0].id as data.0.id.
func jsonPath(at string) string {
	return strings.TrimPrefix(index.ReplaceAllString(at, ".$1"), ".")
}

// globs is a pattern with * and ? as a regular expression.
func globs(pattern string) string {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.NewReplacer(`\*`, "(?s:.*)", `\?`, "(?s:.)").Replace(expression)
	return "^" + expression + "$"
}

// every is the set of the codes from one to another.
func every(from, to int) map[int]bool {
	set := map[int]bool{}
	for code := from; code <= to; code++ {
		set[code] = true
	}
	return set
}

// keep takes out of a set what does not satisfy a condition on it; false: it is
// none that can be understood.
func keep(set map[int]bool, how, value string) bool {
	var wanted []int
	list, isAny := strings.CutPrefix(value, "any(")
	for _, one := range strings.Split(strings.TrimSuffix(list, ")"), ",") {
		code, err := strconv.Atoi(strings.TrimSpace(one))
		if err != nil {
			return false
		}
		wanted = append(wanted, code)
	}
	if isAny && how != "==" && how != "!=" {
		return false
	}
	for code := range set {
		if !satisfies(code, how, wanted) {
			delete(set, code)
		}
	}
	return true
}

func satisfies(code int, how string, wanted []int) bool {
	switch how {
	case "==":
		return slices.Contains(wanted, code)
	case "!=":
		return !slices.Contains(wanted, code)
	case "<":
		return code < wanted[0]
	case "<=":
		return code <= wanted[0]
	case ">":
		return code > wanted[0]
	}
	return code >= wanted[0]
}

// ranges is a set of codes as 200-299,304; empty where it is.
func ranges(set map[int]bool) string {
	var parts []string
	for code := 100; code <= 599; code++ {
		if !set[code] {
			continue
		}
		last := code
		for set[last+1] {
			last++
		}
		part := strconv.Itoa(code)
		if last > code {
			part += "-" + strconv.Itoa(last)
		}
		parts, code = append(parts, part), last
	}
	return strings.Join(parts, ",")
}
