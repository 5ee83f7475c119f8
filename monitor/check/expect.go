package check

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/text"
)

// expectation is service.Expect, ready to be compared with answers. Its methods
// return nil, or an error made by failed or degraded that names what was
// expected and what came. The status is httpCheck's, the latency target.check's.
type expectation struct {
	body            *regexp.Regexp // nil: anything
	values          []jsonValue
	header          []headerValue
	certificateDays int
}

// jsonValue is what is expected at a path of a JSON document.
type jsonValue struct {
	path    string
	wanted  string // as it was written
	matches func(value string, is gjson.Result) bool
}

type headerValue struct {
	name    string
	matches *regexp.Regexp
}

// compile makes an expectation, and says what of it cannot be meant: that part
// then expects nothing.
func compile(def service.Expect) (*expectation, []service.Problem) {
	e := &expectation{certificateDays: def.CertificateDays}
	var problems []service.Problem
	wrong := func(key, value, message string) {
		problems = append(problems, service.Problem{Key: key, Value: value, Message: message})
	}
	expression := func(key, value string) *regexp.Regexp {
		compiled, err := regexp.Compile(value)
		if err != nil {
			wrong(key, value, "is not a regular expression: "+text.Short(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
		}
		return compiled
	}
	if def.Body != "" {
		e.body = expression("expect.body", def.Body)
	}
	for _, name := range slices.Sorted(maps.Keys(def.Headers)) {
		if matches := expression("expect.headers."+name, def.Headers[name]); matches != nil {
			e.header = append(e.header, headerValue{name, matches})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(def.JSON)) {
		matches, err := comparison(def.JSON[path])
		if err != nil {
			wrong("expect.json."+path, def.JSON[path], err.Error())
			continue
		}
		e.values = append(e.values, jsonValue{path, def.JSON[path], matches})
	}
	return e, problems
}

// comparison reads what is expected of a value: text that it is, or one of >, >=,
// < and <= with a number, != with text, or ~ with a regular expression.
func comparison(wanted string) (func(string, gjson.Result) bool, error) {
	for _, operator := range []string{">=", "<=", "!=", ">", "<", "~"} {
		operand, is := strings.CutPrefix(wanted, operator)
		if !is {
			continue
		}
		operand = strings.TrimSpace(operand)
		switch operator {
		case "!=":
			return func(value string, is gjson.Result) bool { return !same(value, is, operand) }, nil
		case "~":
			expression, err := regexp.Compile(operand)
			if err != nil {
				return nil, fmt.Errorf("is not ~ and a regular expression: %s", text.Short(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
			}
			return func(value string, _ gjson.Result) bool { return expression.MatchString(value) }, nil
		}
		limit, err := strconv.ParseFloat(operand, 64)
		if err != nil {
			return nil, fmt.Errorf("is not %s and a number; for text that begins with %s write ~^%s", operator, operator, operator)
		}
		return func(_ string, is gjson.Result) bool {
			return is.Type == gjson.Number && compares(is.Num, operator, limit)
		}, nil
	}
	return func(value string, is gjson.Result) bool { return same(value, is, wanted) }, nil
}

func compares(value float64, operator string, limit float64) bool {
	switch operator {
	case ">":
		return value > limit
	case ">=":
		return value >= limit
	case "<":
		return value < limit
	}
	return value <= limit
}

// same says whether a value is what was written: 1.0 is 1.
func same(value string, is gjson.Result, wanted string) bool {
	if value == wanted {
		return true
	}
	number, err := strconv.ParseFloat(wanted, 64)
	return err == nil && is.Type == gjson.Number && is.Num == number
}

// ofContent says whether anything is expected of what an answer holds.
func (e *expectation) ofContent() bool { return e.body != nil || len(e.values) > 0 }

// content compares what an answer holds, which sentences call what.
func (e *expectation) content(t target, failure event.Failure, what string, content []byte) error {
	if e.body != nil && !e.body.Match(content) {
		return failed(failure, "%s is %s, expected to match %s", what, t.quoted(string(content)), expected(e.body.String()))
	}
	if len(e.values) == 0 {
		return nil
	}
	if !json.Valid(content) { // gjson's own has no bound on the depth
		return failed(failure, "%s is %s, expected JSON", what, t.quoted(string(content)))
	}
	for _, wanted := range e.values {
		result := gjson.GetBytes(content, wanted.path)
		value := textOf(result)
		switch {
		case !result.Exists():
			return failed(failure, "%s has no JSON value at %s, expected %s", what, expected(wanted.path), expected(wanted.wanted))
		case !wanted.matches(value, result):
			return failed(failure, "the JSON value at %s is %s, expected %s", expected(wanted.path), t.quoted(value), expected(wanted.wanted))
		}
	}
	return nil
}

// textOf is a JSON value as a person writes it: text without its quotes, anything
// else as it stands.
func textOf(value gjson.Result) string {
	if value.Type == gjson.String {
		return value.Str
	}
	return value.Raw
}

// headers compares the headers of an answer. One that is given several times
// matches where one of them does.
func (e *expectation) headers(t target, header http.Header) error {
	for _, wanted := range e.header {
		values := header.Values(wanted.name)
		switch expression := expected(wanted.matches.String()); {
		case len(values) == 0:
			return failed(event.FailureBody, "the header %s is missing, expected to match %s", wanted.name, expression)
		case !slices.ContainsFunc(values, wanted.matches.MatchString):
			return failed(event.FailureBody, "the header %s is %s, expected to match %s", wanted.name, t.quoted(strings.Join(values, ", ")), expression)
		}
	}
	return nil
}

// certificate says whether the server's certificate ends too soon; state is nil
// without TLS.
func (e *expectation) certificate(t target, state *tls.ConnectionState) error {
	if e.certificateDays == 0 || state == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	ends := state.PeerCertificates[0].NotAfter
	if time.Until(ends) >= time.Duration(e.certificateDays)*24*time.Hour {
		return nil
	}
	return degraded(event.FailureTLSCertificate, "the certificate of %s ends %s (%s), expected at least %d days",
		t.host, ends.UTC().Format(time.DateTime+" UTC"), daysLeft(ends), e.certificateDays)
}

// daysLeft is how long a certificate lasts, in words.
func daysLeft(ends time.Time) string {
	switch days := int(time.Until(ends) / (24 * time.Hour)); {
	case time.Until(ends) < 0:
		return "it has ended"
	case days == 1:
		return "1 day left"
	default:
		return fmt.Sprintf("%d days left", days)
	}
}

// quoted is a part of an answer, in quotes.
func (t target) quoted(s string) string {
	if t.hides {
		return "something else (not shown here)"
	}
	return quote(t.foreign(s))
}

// expected is what the configuration has, in quotes.
func expected(s string) string { return quote(text.Clip(s, 200)) }

// quote is s in quotes that are easy to read around it.
func quote(s string) string {
	if strings.Contains(s, `"`) && strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}
