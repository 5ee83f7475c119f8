package dashboard

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"logstream/internal/event"
	"logstream/internal/redact"
)

// Whatever is posted, what is published reads as an observation, and as
// nobody's own.
func FuzzHealthLogs(f *testing.F) {
	f.Add([]byte(`{"timestamp":1,"service":"x","status":"UP","code":200}`))
	f.Add([]byte(`[{"timestamp":1.5,"service":"x","status":"DOWN","instance":"here-1","host":"local","nonce":"n"},null]`))
	f.Add([]byte(`[`))
	f.Add([]byte(` []`))
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := records(body)
		if err != nil {
			return
		}
		for _, value := range values {
			h, err := observed(value)
			if err != nil {
				continue
			}
			again, err := event.DecodeHealthLog(event.Encode(h))
			if err != nil {
				t.Fatalf("%s is published as %s: %v", value, event.Encode(h), err)
			}
			if !strings.HasPrefix(again.Instance, apiSource) || again.Host != "" || again.Nonce != "" || again.Epoch != 0 {
				t.Fatalf("%s is published as %s", value, event.Encode(h))
			}
		}
	})
}

// Whatever the body of a command is, it is read or refused with a sentence.
func FuzzCommandBody(f *testing.F) {
	f.Add(`{"fault":"stop","undo":true}`)
	f.Add(`{"fault":{}}`)
	f.Add(``)
	f.Add(`{}x`)
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("POST", "/", strings.NewReader(body))
		var ask struct {
			Fault, Action, For, Reason string
			Undo                       bool
		}
		bad := object(w, req, &ask)
		if bad.is() && (bad.status < 400 || bad.status > 499 || bad.why == "") {
			t.Errorf("%q is refused as %+v", body, bad)
		}
		if !bad.is() && strings.TrimSpace(body) != "" && !json.Valid([]byte(body)) {
			t.Errorf("%q was taken", body)
		}
	})
}

// What others wrote stays in one line of Markdown, without a tag.
func FuzzPlain(f *testing.F) {
	f.Add("<b>*x*\n# y")
	f.Add("`a` | b")
	f.Fuzz(func(t *testing.T, text string) {
		got := plain(text)
		if strings.ContainsAny(got, "<\n\r") {
			t.Errorf("plain(%q) = %q", text, got)
		}
		span := code(text)
		if inner := strings.Join(strings.Fields(redact.Text(text)), " "); inner != "" && longestRun(inner) >= len(span)-len(strings.TrimLeft(span, "`")) {
			t.Errorf("code(%q) = %q ends early", text, span)
		}
	})
}
