package dashboard

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/redact"
)

// Whatever is posted, what is published reads as an observation of a foreign
// source.
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
			h, err := observed(value, time.Unix(1, 0))
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

// Whatever the body of a command is, it is read as encoding/json reads it or
// refused with a sentence of ours.
func FuzzCommandBody(f *testing.F) {
	for _, body := range []string{`{"fault":"stop","undo":true}`, `{"fault":{}}`, `{}x`, `{"FAULT":"stop"}`, `{"undo":true,"undo":false}`, `{"for":null}`, `{"\ud800":1}`, "\xff"} {
		f.Add(body)
	}
	type command struct {
		Fault string  `json:"fault"`
		For   *string `json:"for"`
		Undo  bool    `json:"undo"`
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got, want command
		if err := decodeStrict([]byte(body), &got); err != nil {
			if text := err.Error(); text == "" || strings.ContainsAny(text, "\n\r") || goText(text, body) {
				t.Errorf("%q is refused with %q", body, text)
			}
			return
		}
		dec := json.NewDecoder(strings.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v; encoding/json reads %+v, %v", body, got, want, err)
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
