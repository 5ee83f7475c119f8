package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"logstream/healer"
	"logstream/healer/llm"
	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

var instant = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)

// full sets every field of *v to something, so that one that has no form in a
// recording is lost on the way and found.
func full(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(instant))
		return
	case reflect.TypeFor[time.Duration]():
		v.SetInt(int64(3 * time.Second))
		return
	case reflect.TypeFor[service.StatusRange]():
		v.Set(reflect.ValueOf(service.StatusRange{{200, 299}, {304, 304}}))
		return
	case reflect.TypeFor[service.Commands]():
		v.Set(reflect.ValueOf(service.Commands{{Name: "flush", Args: []string{"redis-cli", "1"}}, {Name: "reload", Args: []string{"true"}}}))
		return
	case reflect.TypeFor[error]():
		v.Set(reflect.ValueOf(errors.New("no such network")))
		return
	case reflect.TypeFor[event.Data]():
		v.Set(reflect.ValueOf(event.Suppressed{Gate: "deploy", Reason: "r", Until: &instant}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		full(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		full(t, v.Index(0))
		full(t, v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
	case reflect.Struct:
		for i := range v.NumField() {
			full(t, v.Field(i))
		}
	default:
		t.Fatalf("a %s cannot be filled: say here how", v.Type())
	}
}

func filled[T any](t *testing.T) T {
	var v T
	full(t, reflect.ValueOf(&v).Elem())
	return v
}

// inputs is one of each kind, with every field set.
func inputs(t *testing.T) []healer.Input {
	health, incident := filled[healer.ReadHealth](t), filled[healer.ReadIncident](t)
	health.Log.Status = event.Down
	incident.Event.Type = event.TypeSuppressed
	return []healer.Input{health, incident, filled[healer.ReadDocker](t), filled[healer.ReadService](t), filled[healer.ReadCommand](t),
		filled[healer.Replayed](t), filled[healer.EngineSeen](t), filled[healer.Inspected](t), filled[healer.Collected](t), filled[healer.Executed](t), filled[healer.ModelState](t), filled[healer.Answered](t),
		filled[healer.AppendFailed](t), filled[healer.Published](t), filled[healer.Reconfigured](t), filled[healer.SpecsKept](t), filled[healer.LogsCompared](t)}
}

func TestEveryInputIsReadAsItWasWritten(t *testing.T) {
	for _, in := range inputs(t) {
		t.Run(fmt.Sprintf("%T", in), func(t *testing.T) {
			line, err := encodeInput(in)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(line)
			if err != nil {
				t.Fatal(err)
			}
			var read inputLine
			if err := json.Unmarshal(text, &read); err != nil {
				t.Fatal(err)
			}
			got, err := decodeInput(read)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, in) {
				t.Errorf("read\n%+v\nwritten\n%+v", got, in)
			}
		})
	}
}

func TestErrorsKeepWhatTheyAre(t *testing.T) {
	ambiguous := &container.AmbiguousError{Ref: "web", Candidates: []string{"a", "b"}}
	for _, err := range []error{
		container.ErrNotFound, fmt.Errorf("find web: %w", container.ErrNotFound), container.ErrUnavailable,
		&container.UnavailableError{Why: "permission denied"}, ambiguous, errors.New("no such network"),
	} {
		got := encodeError(err).decode()
		if got.Error() != err.Error() || errors.Is(got, container.ErrNotFound) != errors.Is(err, container.ErrNotFound) ||
			errors.Is(got, container.ErrUnavailable) != errors.Is(err, container.ErrUnavailable) {
			t.Errorf("%v is read as %v", err, got)
		}
		var is *container.AmbiguousError
		if errors.As(got, &is) != (err == error(ambiguous)) {
			t.Errorf("%v is read as %#v", err, got)
		}
	}
	if encodeError(nil).decode() != nil {
		t.Error("no error is read as one")
	}
}

func TestTheHeaderIsReadAsItWasWritten(t *testing.T) {
	config := filled[healer.Config](t)
	h := Header{Scenario: "s", Engine: "e", Instance: "i", Host: "h", Config: config, Services: []service.Definition{filled[service.Definition](t)},
		Protected: []string{":9092"}, Start: instant}
	form, err := h.form()
	if err != nil {
		t.Fatal(err)
	}
	got, err := form.header()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, h) {
		t.Errorf("read\n%+v\nwritten\n%+v", got, h)
	}
}

func TestEveryEffectHasAForm(t *testing.T) {
	appended := filled[healer.Append](t)
	appended.Events[0].Type = event.TypeSuppressed
	for _, e := range []healer.Effect{appended, filled[healer.Publish](t), filled[healer.Reply](t), filled[healer.Inspect](t), filled[healer.Execute](t), filled[healer.KeepSpec](t),
		healer.Query{Service: "web", Request: 1, Question: llm.Question{Legal: []event.Choice{{Letter: "A", Action: "start"}}}}} {
		if d, err := decisionOf(e); err != nil || d.text("service") == "" {
			t.Errorf("%T: %v, %v", e, d, err)
		}
	}
}
