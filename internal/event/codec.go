package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxRecord is the largest value, in bytes, that a reader accepts.
const MaxRecord = 1 << 20

// Bounds of what any program may write into a health log.
const (
	maxSourceName = 256  // characters of each name: instance, check, host, nonce and failure
	maxErrorText  = 4096 // bytes; what is longer is cut
)

// Encode writes a record's value, every instant in UTC and every list an array. It
// panics on what JSON cannot hold, which is a bug and not an input.
func Encode(record any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	converted, err := conform(record)
	if err == nil {
		err = enc.Encode(converted)
	}
	if err != nil {
		panic(fmt.Sprintf("event: encode %T: %v", record, err))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// decode reads one JSON object and nothing after it.
func decode[T any](value []byte, into *T) error {
	if err := decodeFlat(value, into); err != nil {
		return err
	}
	converted, err := conform(*into)
	if err != nil {
		return fmt.Errorf("is not valid: %w", err)
	}
	*into = converted
	return nil
}

// decodeFlat reads one JSON object into a type that has no instants or lists to
// be made alike, or has its own way with them.
func decodeFlat[T any](value []byte, into *T) error {
	if len(value) > MaxRecord {
		return fmt.Errorf("is %d bytes, more than %d", len(value), MaxRecord)
	}
	trimmed := bytes.TrimLeft(value, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("is not a JSON object")
	}
	read := func(value []byte) error { return json.Unmarshal(value, into) }
	if own, is := any(into).(json.Unmarshaler); is {
		read = own.UnmarshalJSON // it reads the whole value; json.Unmarshal would do so twice before
	}
	if err := read(value); err != nil {
		return fmt.Errorf("is not valid: %w", err)
	}
	return nil
}

// DecodeHealthLog reads a record of TopicHealth from any program. Required are
// timestamp, service and status; an absent code reads as 0, and 200.0 as 200. An error
// longer than 4 KiB is cut.
func DecodeHealthLog(value []byte) (HealthLog, error) {
	h, err := decodeHealthLog(value)
	if err != nil {
		if own, is := ownNames(value); is {
			if again, wrong := decodeHealthLog(own); wrong == nil {
				return again, nil
			}
		}
		return HealthLog{}, fmt.Errorf("health log: %w", err)
	}
	return h, nil
}

func decodeHealthLog(value []byte) (HealthLog, error) {
	var h struct {
		HealthLog
		Timestamp *float64 `json:"timestamp"`
	}
	if err := decodeFlat(value, &h); err != nil {
		return HealthLog{}, err
	}
	if h.Timestamp == nil {
		return HealthLog{}, errors.New("timestamp is missing")
	}
	h.HealthLog.Timestamp = *h.Timestamp
	if err := CheckHealthLog(h.HealthLog); err != nil {
		return HealthLog{}, err
	}
	h.Error = Clip(h.Error, maxErrorText)
	return h.HealthLog, nil
}

// ownNames is a record without what encoding/json takes for one of our names, which are
// in small letters, as it ignores case: another program's "Status" is unknown here. Its
// code is an integer where its value is one, as Python writes a float. It is only for a
// record that was refused, as it takes as long as reading the record.
func ownNames(value []byte) ([]byte, bool) {
	var all map[string]json.RawMessage
	if len(value) > MaxRecord || json.Unmarshal(value, &all) != nil {
		return nil, false
	}
	before := len(all)
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return name != strings.ToLower(name) })
	whole, fraction, _ := strings.Cut(string(all["code"]), ".")
	integral := fraction != "" && strings.Trim(fraction, "0") == ""
	if integral {
		all["code"] = json.RawMessage(whole)
	}
	again, err := json.Marshal(all)
	return again, err == nil && (integral || len(all) < before)
}

// CheckHealthLog says what is wrong with an observation.
func CheckHealthLog(h HealthLog) error {
	switch h.Status {
	case Up, Degraded, Down:
	case "":
		return errors.New("status is missing")
	default:
		return fmt.Errorf("status is %q, not UP, DEGRADED or DOWN", Clip(string(h.Status), maxSourceName))
	}
	// The bounds keep FromSeconds inside what a time.Time can hold as text.
	if ts := h.Timestamp; math.IsNaN(ts) || ts < 0 || ts > 253402300799 {
		return fmt.Errorf("timestamp %v is not seconds since the epoch", ts)
	}
	if until := h.Until; math.IsNaN(until) || until < 0 || until > 253402300799 {
		return fmt.Errorf("until %v is not seconds since the epoch", until)
	}
	if h.LatencyMS < 0 {
		return fmt.Errorf("latency_ms is %v", h.LatencyMS)
	}
	if err := CheckServiceName(h.Service); err != nil {
		return err
	}
	for _, name := range []struct{ key, value string }{{"instance", h.Instance}, {"check", h.Check}, {"host", h.Host}, {"nonce", h.Nonce}, {"failure", string(h.Failure)}} {
		if n := utf8.RuneCountInString(name.value); n > maxSourceName {
			return fmt.Errorf("%s is a name of %d characters, more than %d", name.key, n, maxSourceName)
		}
	}
	return nil
}

// DecodeService reads a record of TopicServices.
func DecodeService(value []byte) (Service, error) {
	var s Service
	if err := decode(value, &s); err != nil {
		return Service{}, fmt.Errorf("service: %w", err)
	}
	if s.Service == "" {
		return Service{}, errors.New("service: service is missing")
	}
	return s, nil
}

// ServiceVersion is what a record of TopicServices replaces: what was published
// before of the same service, under the same claim. It reads no more than that.
func ServiceVersion(r Record) (Version, bool) {
	var s struct {
		Service  string `json:"service"`
		Revision int64  `json:"revision"`
		Origin
	}
	if err := decodeFlat(r.Value, &s); err != nil || s.Service == "" {
		return Version{}, false
	}
	return Version{Of: s.Host + "\x00" + s.Nonce + "\x00" + s.Service, Epoch: s.Epoch, Revision: s.Revision}, true
}

// DecodeCommand reads a record of TopicCommands.
func DecodeCommand(value []byte) (Command, error) {
	var c Command
	if err := decode(value, &c); err != nil {
		return Command{}, fmt.Errorf("command: %w", err)
	}
	if c.ID == "" {
		return Command{}, errors.New("command: id is missing")
	}
	return c, nil
}

// DecodeDocker reads a record of TopicDocker.
func DecodeDocker(value []byte) (Docker, error) {
	var d Docker
	if err := decode(value, &d); err != nil {
		return Docker{}, fmt.Errorf("docker event: %w", err)
	}
	if d.Action == "" {
		return Docker{}, errors.New("docker event: action is missing")
	}
	return d, nil
}

// DecodeThinking reads a record of TopicThinking.
func DecodeThinking(value []byte) (Thinking, error) {
	var t Thinking
	if err := decode(value, &t); err != nil {
		return Thinking{}, fmt.Errorf("thinking: %w", err)
	}
	if t.Incident == "" {
		return Thinking{}, errors.New("thinking: incident is missing")
	}
	return t, nil
}

// DecodeIncident reads a record of TopicIncidents. An event of a type that
// this version does not know is read with its data as Other.
func DecodeIncident(value []byte) (Incident, error) {
	var in Incident
	if err := decode(value, &in); err != nil {
		return Incident{}, fmt.Errorf("incident event: %w", err)
	}
	switch {
	case in.ID == "":
		return Incident{}, errors.New("incident event: id is missing")
	case in.Seq < 1:
		return Incident{}, fmt.Errorf("incident event: seq is %d, and counts from 1", in.Seq)
	case in.Type == "":
		return Incident{}, errors.New("incident event: type is missing")
	}
	return in, nil
}

// UnmarshalJSON reads Data by Type.
func (in *Incident) UnmarshalJSON(value []byte) error {
	type plain struct { // Incident without this method, and with Data unread
		ID      string          `json:"id"`
		Seq     int             `json:"seq"`
		Time    time.Time       `json:"time"`
		Service string          `json:"service"`
		Type    Type            `json:"type"`
		By      string          `json:"by"`
		Data    json.RawMessage `json:"data"`
		Origin
	}
	var p plain
	if err := json.Unmarshal(value, &p); err != nil {
		return err
	}
	data, err := decodeData(p.Type, p.Data)
	if err != nil {
		return fmt.Errorf("data of %s: %w", p.Type, err)
	}
	*in = Incident{p.ID, p.Seq, p.Time, p.Service, p.Type, p.By, complete(data), p.Origin}
	return nil
}

func decodeData(t Type, raw json.RawMessage) (Data, error) {
	switch t {
	case TypeOpened:
		return dataAs[Opened](raw)
	case TypeEvidence:
		return dataAs[Evidence](raw)
	case TypeDiagnosed:
		return dataAs[Diagnosed](raw)
	case TypeApprovalRequested:
		return dataAs[ApprovalRequested](raw)
	case TypeApproved:
		return dataAs[Approved](raw)
	case TypeDenied:
		return dataAs[Denied](raw)
	case TypeAcknowledged:
		return dataAs[Acknowledged](raw)
	case TypeActionStarted:
		return dataAs[ActionStarted](raw)
	case TypeActionFinished:
		return dataAs[ActionFinished](raw)
	case TypeVerified:
		return dataAs[Verified](raw)
	case TypeResolved:
		return dataAs[Resolved](raw)
	case TypeEscalated:
		return dataAs[Escalated](raw)
	case TypeSuppressed:
		return dataAs[Suppressed](raw)
	case TypeReported:
		return dataAs[Reported](raw)
	case TypeNoted:
		return dataAs[Noted](raw)
	case TypeClaim:
		return dataAs[Claim](raw)
	}
	return other(t, raw), nil
}

// other keeps the data of a type that this version does not know, as it will
// be written again. raw is valid JSON, or absent.
func other(t Type, raw json.RawMessage) Other {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil || compact.Len() == 0 {
		return Other{t, json.RawMessage("{}")}
	}
	return Other{t, compact.Bytes()}
}

func dataAs[T Data](raw json.RawMessage) (Data, error) {
	var data T
	if len(raw) == 0 {
		return data, nil
	}
	err := json.Unmarshal(raw, &data)
	return data, err
}

// checkName says whether s can be a service's name: 1 to 128 printable
// characters.
func checkName(s string) error {
	if s == "" {
		return errors.New("service is missing")
	}
	if n := len([]rune(s)); n > 128 {
		return fmt.Errorf("service is a name of %d characters, more than 128", n)
	}
	for _, r := range s {
		if !printable(r) {
			return fmt.Errorf("service %q holds a character that cannot be printed", s)
		}
	}
	return nil
}
