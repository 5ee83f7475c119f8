package check

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"logstream/internal/event"
	"logstream/internal/service"
)

func TestJSONValuesAreCompared(t *testing.T) {
	const body = `{"s":"ok","n":7,"f":1.50,"big":1e3,"t":true,"z":null,"e":"","o":{"a":1},"l":[1,2],"lt":"<5","digits":"07"}`
	for _, c := range []struct {
		path, wanted string
		matches      bool
	}{
		{"s", "ok", true}, {"s", "OK", false}, {"s", "!=ok", false}, {"s", "!=failed", true}, {"s", "~^o", true}, {"s", "~ ^k", false},
		{"n", "7", true}, {"n", "7.0", true}, {"n", "8", false}, {"n", ">6", true}, {"n", "> 7", false}, {"n", ">=7", true}, {"n", "<=7", true}, {"n", "<7", false},
		{"n", "!=7.0", false}, {"f", "1.5", true}, {"big", "1000", true}, {"big", ">999", true},
		{"t", "true", true}, {"t", "1", false}, {"z", "null", true}, {"z", "", false}, {"e", "", true},
		{"o", `{"a":1}`, true}, {"o.a", "1", true}, {"l.#", "2", true}, {"l.1", "2", true}, {"lt", "~^<5$", true}, {"lt", "<6", false},
		{"digits", "7", false}, {"s", ">1", false}, {"none", "!=x", false}, {"none", "~.*", false},
	} {
		e, problems := compile(service.Expect{JSON: map[string]string{c.path: c.wanted}})
		err := e.content(target{}, event.FailureBody, "the response body", []byte(body))
		if problems != nil || (err == nil) != c.matches {
			t.Errorf("%s %s: %v, %v", c.path, c.wanted, err, problems)
		}
	}
}

func TestErrorNamesReceivedAndExpected(t *testing.T) {
	for _, c := range []struct {
		expect service.Expect
		body   string
		want   string
	}{
		{service.Expect{Body: "^ok$"}, "not\nok", `the answer is "not ok", expected to match "^ok$"`},
		{service.Expect{Body: "a\r\n"}, `say "b"`, "the answer is `say \"b\"`, expected to match \"a\\r\\n\""},
		{service.Expect{JSON: map[string]string{"a.b": ">3"}}, `{"a":{"b":3}}`, `the JSON value at "a.b" is "3", expected ">3"`},
		{service.Expect{JSON: map[string]string{"a.b": "x"}}, `{"a":1}`, `the answer has no JSON value at "a.b", expected "x"`},
		{service.Expect{JSON: map[string]string{"a": "x"}}, "\x1b[31m<html>", `the answer is "<html>", expected JSON`},
		{service.Expect{JSON: map[string]string{"a": "x"}}, strings.Repeat("[", 20_000), "the answer is \"" + strings.Repeat("[", 150) + " … (20000 bytes in all)\", expected JSON"},
		{service.Expect{Body: "ok"}, "", `the answer is "", expected to match "ok"`},
		{service.Expect{Body: "ok"}, "password=hunter2", `the answer is "password=***", expected to match "ok"`},
	} {
		e, _ := compile(c.expect)
		if err := e.content(target{}, event.FailureAnswer, "the answer", []byte(c.body)); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// FuzzExpectations has expectations and answers of any kind compared.
func FuzzExpectations(f *testing.F) {
	f.Add("ok", "a.b", ">3", `{"a":{"b":3}}`)
	f.Add("(", "#(a==1)#.b|@reverse", "~[", "\x1b]0;x\x07")
	f.Add("", "@pretty:{\"width\":1}", "!=", "[[[[")
	f.Add("[+]PONG", "..#.\\", "<=1e999", strings.Repeat(`{"a":`, 5000))
	f.Fuzz(func(t *testing.T, expression, path, wanted, answer string) {
		e, problems := compile(service.Expect{Body: expression, JSON: map[string]string{path: wanted}, Headers: map[string]string{"X": expression}})
		for _, p := range problems {
			if !utf8.ValidString(p.Message) && utf8.ValidString(p.Value) {
				t.Errorf("%+v is not text", p)
			}
		}
		for _, err := range []error{
			e.content(target{}, event.FailureBody, "the response body", []byte(answer)),
			e.headers(target{}, http.Header{"X": {answer}}),
		} {
			if err != nil && (len(err.Error()) > 4000 || strings.ContainsAny(err.Error(), "\n\x1b") && !strings.ContainsAny(expression+path+wanted, "\n\x1b")) {
				t.Errorf("%q", err)
			}
		}
	})
}
