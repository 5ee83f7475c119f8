package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"logstream/internal/nearest"
)

const (
	maxBody     = 64 << 10 // bytes of a command
	maxObserved = 1 << 20  // bytes of observations
)

// body reads a request's body of at most limit bytes. A refusal says what is
// wrong with it.
func body(w http.ResponseWriter, req *http.Request, limit int64) ([]byte, refusal) {
	all, err := io.ReadAll(http.MaxBytesReader(w, req.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit)}
	case err != nil:
		return nil, refusal{http.StatusBadRequest, "the body ended early"}
	}
	return all, refusal{}
}

// command reads a command's body into v, a pointer to a struct: one JSON object,
// or nothing at all. A command that is half understood would be executed
// wrongly, so a field that v does not have is refused, with the one that was
// probably meant; so are names in another case, repeated fields, null and other
// types, and anything after the object.
func (r *run) command(w http.ResponseWriter, req *http.Request, v any) bool {
	all, bad := body(w, req, maxBody)
	if !bad.is() && len(bytes.TrimSpace(all)) > 0 {
		if err := decodeStrict(all, v); err != nil {
			bad = refusal{http.StatusBadRequest, err.Error()}
		}
	}
	if bad.is() {
		fail(w, bad.status, bad.why)
	}
	return !bad.is()
}

func decodeStrict(body []byte, v any) error {
	given, err := members(body)
	if err != nil {
		return err
	}
	known := fieldsOf(v)
	for _, m := range given {
		field, is := known.named(m.name)
		if !is {
			return unknownField(m.name, known)
		}
		if err := field.set(m.value); err != nil {
			return err
		}
	}
	return nil
}

// decodeKnown reads what v has and skips the rest, as every reader of records
// does. A null is as if the field were absent.
func decodeKnown(body []byte, v any) error {
	given, err := members(body)
	if err != nil {
		return err
	}
	known := fieldsOf(v)
	for _, m := range given {
		if field, is := known.named(m.name); is && string(m.value) != "null" {
			if err := field.set(m.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// member is one name and value of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// members are those of the JSON object that body is, each name once. json's own
// decoding into a struct would take a name in any case, and the last of two.
func members(body []byte) ([]member, error) {
	if !json.Valid(body) {
		return nil, notJSON(body)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("expected a JSON object")
	}
	var all []member
	seen := map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, notJSON(body)
		}
		m := member{name: name.(string)} // of valid JSON it is one
		if err := dec.Decode(&m.value); err != nil {
			return nil, notJSON(body)
		}
		if seen[m.name] {
			return nil, fmt.Errorf("the field %s is given twice", quoted(m.name))
		}
		seen[m.name] = true
		all = append(all, m)
	}
	return all, nil
}

// notJSON says where a body stops being JSON.
func notJSON(body []byte) error {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(body, new(any)); errors.As(err, &syntax) {
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	}
	return errors.New("not valid JSON")
}

// fields are those of a struct, in their order.
type fields []field

type field struct {
	name  string
	value reflect.Value
}

func fieldsOf(v any) fields {
	s := reflect.ValueOf(v).Elem()
	var all fields
	for i := range s.NumField() {
		name, _, _ := strings.Cut(s.Type().Field(i).Tag.Get("json"), ",")
		all = append(all, field{name, s.Field(i)})
	}
	return all
}

func (f fields) named(name string) (field, bool) {
	for _, known := range f {
		if known.name == name {
			return known, true
		}
	}
	return field{}, false
}

func (f fields) names() []string {
	names := make([]string, len(f))
	for i, known := range f {
		names[i] = known.name
	}
	return names
}

func unknownField(name string, known fields) error {
	names := known.names()
	if len(names) == 0 {
		return fmt.Errorf("unknown field %s: this call takes none", quoted(name))
	}
	if near := nearest.Of(strings.ToLower(name), names); near != "" {
		return fmt.Errorf("unknown field %s; did you mean %q?", quoted(name), near)
	}
	return fmt.Errorf("unknown field %s; the fields are %s", quoted(name), strings.Join(names, ", "))
}

// set takes a value of JSON.
func (f field) set(value json.RawMessage) error {
	wanted, given := kindOf(f.value.Type()), kindOfJSON(value)
	if given != "null" && json.Unmarshal(value, f.value.Addr().Interface()) == nil {
		return nil
	}
	switch {
	case given == "a number" && wanted == "an integer":
		return fmt.Errorf("%q must be an integer, not %s", f.name, short(string(value)))
	case given == wanted:
		return fmt.Errorf("%q is out of range", f.name)
	}
	return fmt.Errorf("%q must be %s, not %s", f.name, wanted, given)
}

// kindOf is what a field holds, as a person says it.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "an integer"
	case reflect.Slice: // json.RawMessage
		return "an object"
	}
	return "a number"
}

func kindOfJSON(value json.RawMessage) string {
	switch value[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	}
	return "a number"
}

// short cuts what a caller sent for an answer.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// quoted is what a caller sent, for an answer of one line.
func quoted(s string) string { return strconv.Quote(short(s)) }
