package event

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDecodeHealthLog(t *testing.T) {
	tests := map[string]struct {
		value string
		want  HealthLog
	}{
		"the proof of concept's": {`{"timestamp": 1772366400.5, "service": "payment-service", "status": "DOWN", "code": 500}`,
			HealthLog{Timestamp: 1772366400.5, Service: "payment-service", Status: Down, Code: 500}},
		"the proof of concept's, with latency": {`{"timestamp": 1772366400.5, "service": "auth-service", "status": "UP", "code": 200, "latency_ms": 31.25}`,
			HealthLog{Timestamp: 1772366400.5, Service: "auth-service", Status: Up, Code: 200, LatencyMS: 31.25}},
		"whole seconds":           {`{"timestamp":1772366400,"service":"a","status":"DEGRADED","code":200}`, HealthLog{Timestamp: 1772366400, Service: "a", Status: Degraded, Code: 200}},
		"no code":                 {`{"timestamp":1,"service":"a","status":"DOWN"}`, HealthLog{Timestamp: 1, Service: "a", Status: Down}},
		"code null":               {`{"timestamp":1,"service":"a","status":"DOWN","code":null}`, HealthLog{Timestamp: 1, Service: "a", Status: Down}},
		"unknown fields":          {`{"timestamp":1,"service":"a","status":"UP","code":200,"region":{"x":[1,2]},"n":null}`, HealthLog{Timestamp: 1, Service: "a", Status: Up, Code: 200}},
		"the epoch":               {`{"timestamp":0,"service":"a","status":"UP","code":200}`, HealthLog{Service: "a", Status: Up, Code: 200}},
		"the last second":         {`{"timestamp":253402300799,"service":"a","status":"UP"}`, HealthLog{Timestamp: 253402300799, Service: "a", Status: Up}},
		"a name of 128":           {`{"timestamp":1,"service":"` + strings.Repeat("ü", 128) + `","status":"UP"}`, HealthLog{Timestamp: 1, Service: strings.Repeat("ü", 128), Status: Up}},
		"white space around":      {" \r\n\t{\"timestamp\":1,\"service\":\"a b\",\"status\":\"UP\"}\n", HealthLog{Timestamp: 1, Service: "a b", Status: Up}},
		"invalid UTF-8 in a text": {"{\"timestamp\":1,\"service\":\"a\",\"status\":\"DOWN\",\"error\":\"x\xffy\"}", HealthLog{Timestamp: 1, Service: "a", Status: Down, Error: "x\ufffdy"}},
		"names of others":         {`{"timestamp":1,"service":"a","status":"UP","Status":"running","CODE":"ok","Error":{"a":1}}`, HealthLog{Timestamp: 1, Service: "a", Status: Up}},
		"code as Python's float":  {`{"timestamp":1,"service":"a","status":"UP","code":200.0}`, HealthLog{Timestamp: 1, Service: "a", Status: Up, Code: 200}},
		"extra": {`{"timestamp":1,"service":"a","status":"UP","check":"http","instance":"i","host":"h","extra":true}`,
			HealthLog{Timestamp: 1, Service: "a", Status: Up, Check: "http", Extra: true, Origin: Origin{Instance: "i", Host: "h"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeHealthLog([]byte(test.value))
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDecodeHealthLogRefuses(t *testing.T) {
	with := func(field string) string {
		return `{"timestamp":1,"service":"a","status":"DOWN","code":0,` + field + `}` // a field twice: the last counts
	}
	tests := map[string]struct{ value, reason string }{
		"nothing":                   {"", "not a JSON object"},
		"white space":               {" \n", "not a JSON object"},
		"null":                      {"null", "not a JSON object"},
		"an array":                  {`[{"timestamp":1}]`, "not a JSON object"},
		"a text":                    {`"UP"`, "not a JSON object"},
		"half an object":            {`{"timestamp":1`, "not valid"},
		"two objects":               {`{"timestamp":1,"service":"a","status":"UP"}{}`, "not valid"},
		"no timestamp":              {`{"service":"a","status":"UP","code":200}`, "timestamp is missing"},
		"timestamp null":            {with(`"timestamp":null`), "timestamp is missing"},
		"timestamp a text":          {with(`"timestamp":"2026-03-01T12:00:00Z"`), "not valid"},
		"timestamp not a number":    {with(`"timestamp":NaN`), "not valid"},
		"timestamp infinite":        {with(`"timestamp":1e999`), "not valid"},
		"timestamp huge":            {with(`"timestamp":1e300`), "not seconds since the epoch"},
		"timestamp in milliseconds": {with(`"timestamp":1772366400000`), "not seconds since the epoch"},
		"timestamp negative":        {with(`"timestamp":-1`), "not seconds since the epoch"},
		"until negative":            {with(`"until":-1`), "not seconds since the epoch"},
		"no service":                {`{"timestamp":1,"status":"UP","code":200}`, "service is missing"},
		"service empty":             {with(`"service":""`), "service is missing"},
		"service a number":          {with(`"service":7`), "not valid"},
		"service too long":          {with(`"service":"` + strings.Repeat("x", 129) + `"`), "more than 128"},
		"service with a newline":    {with(`"service":"a\nb"`), "cannot be printed"},
		"service with an escape":    {with(`"service":"\u001b[31mred"`), "cannot be printed"},
		"service turned around":     {with(`"service":"a\u202eb"`), "cannot be printed"},
		"service not UTF-8":         {with("\"service\":\"a\xff\""), "cannot be printed"},
		"service reserved":          {with(`"service":"logstream"`), "reserved"},
		"service the whole host":    {with(`"service":"*"`), "reserved"},
		"no status":                 {`{"timestamp":1,"service":"a","code":200}`, "status is missing"},
		"status unknown":            {with(`"status":"BROKEN"`), `"BROKEN"`},
		"status of another kind":    {with(`"status":"PENDING"`), `"PENDING"`},
		"status in small letters":   {with(`"status":"up"`), `"up"`},
		"code with a fraction":      {with(`"code":200.5`), "not valid"},
		"code a text":               {with(`"code":"200"`), "not valid"},
		"code huge":                 {with(`"code":99999999999999999999`), "not valid"},
		"latency negative":          {with(`"latency_ms":-0.5`), "latency_ms"},
		"latency infinite":          {with(`"latency_ms":1e400`), "not valid"},
		"extra a text":              {with(`"extra":"yes"`), "not valid"},
		"instance too long":         {with(`"instance":"` + strings.Repeat("i", 257) + `"`), "instance"},
		"check too long":            {with(`"check":"` + strings.Repeat("i", 257) + `"`), "check"},
		"host too long":             {with(`"host":"` + strings.Repeat("i", 257) + `"`), "host"},
		"nonce too long":            {with(`"nonce":"` + strings.Repeat("i", 257) + `"`), "nonce"},
		"failure too long":          {with(`"failure":"` + strings.Repeat("i", 257) + `"`), "failure"},
		"too deep":                  {with(`"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000)), "not valid"},
		"too large":                 {with(`"x":"` + strings.Repeat("y", MaxRecord) + `"`), "more than 1048576"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeHealthLog([]byte(test.value))
			if err == nil {
				t.Fatalf("read as %+v", got)
			}
			if !strings.Contains(err.Error(), test.reason) || !strings.HasPrefix(err.Error(), "health log: ") {
				t.Errorf("the reason is %q, want it to name %q", err, test.reason)
			}
			if got != (HealthLog{}) {
				t.Errorf("the refused record is %+v, want nothing of it", got)
			}
		})
	}
}

// Any program may write a health log, and readers keep many of them: a megabyte in any
// one text of each would be gigabytes.
func TestNoTextOfAHealthLogIsUnbounded(t *testing.T) {
	tried := 0
	for key := range objectOf(t, Encode(HealthLog{Timestamp: 1, Service: "s", Status: Up, Check: "c", Error: "e", Failure: "f",
		Origin: Origin{Instance: "i", Host: "h", Nonce: "n"}})) {
		record := map[string]any{"timestamp": 1, "service": "s", "status": "UP"}
		if record[key] = strings.Repeat("x", 900_000); key == "timestamp" || key == "code" || key == "latency_ms" {
			continue
		}
		tried++
		value, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := DecodeHealthLog(value); err == nil && len(Encode(h)) > 2*maxErrorText {
			t.Errorf("%s of %d bytes is kept", key, len(Encode(h)))
		}
	}
	if tried != 8 {
		t.Errorf("%d texts were tried", tried)
	}
}

func objectOf(t *testing.T, value []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(value, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDecodeHealthLogCutsALongError(t *testing.T) {
	value := Encode(HealthLog{Timestamp: 1, Service: "a", Status: Down, Error: strings.Repeat("ä", 10_000)})
	h, err := DecodeHealthLog(value)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Error) > maxErrorText || !strings.HasPrefix(h.Error, "ääää") || !strings.HasSuffix(h.Error, "(20000 bytes in all)") {
		t.Errorf("an error of 20000 bytes is kept as %d bytes, %q", len(h.Error), h.Error[max(0, len(h.Error)-40):])
	}
}

func TestDecodeRefuses(t *testing.T) {
	incident := func(field string) string {
		return `{"id":"i","seq":1,"time":"2026-03-01T12:00:00Z","service":"a","type":"opened","by":"runbook","data":{},` + field + `}`
	}
	tests := map[string]struct {
		decode func([]byte) (any, error)
		value  string
		reason string
	}{
		"incident, no object":            {decoded(DecodeIncident), `7`, "not a JSON object"},
		"incident, no id":                {decoded(DecodeIncident), incident(`"id":""`), "id is missing"},
		"incident, seq 0":                {decoded(DecodeIncident), incident(`"seq":0`), "counts from 1"},
		"incident, seq negative":         {decoded(DecodeIncident), incident(`"seq":-3`), "counts from 1"},
		"incident, seq a fraction":       {decoded(DecodeIncident), incident(`"seq":1.5`), "not valid"},
		"incident, no type":              {decoded(DecodeIncident), incident(`"type":""`), "type is missing"},
		"incident, time a number":        {decoded(DecodeIncident), incident(`"time":7`), "not valid"},
		"incident, no such time":         {decoded(DecodeIncident), incident(`"time":"2026-02-30T12:00:00Z"`), "not valid"},
		"incident, beyond year 9999":     {decoded(DecodeIncident), incident(`"time":"9999-12-31T23:59:59-01:00"`), "year 10000"},
		"incident, before year 0":        {decoded(DecodeIncident), incident(`"time":"0000-01-01T00:00:00+01:00"`), "year -1"},
		"incident, data's year":          {decoded(DecodeIncident), incident(`"data":{"first_bad":"9999-12-31T23:59:59-01:00"}`), "year 10000"},
		"incident, data a text":          {decoded(DecodeIncident), incident(`"data":"x"`), "data of opened"},
		"incident, data an array":        {decoded(DecodeIncident), incident(`"data":[1]`), "data of opened"},
		"incident, data of other types":  {decoded(DecodeIncident), incident(`"data":{"error":7}`), "data of opened"},
		"incident, epoch huge":           {decoded(DecodeIncident), incident(`"epoch":1e40`), "not valid"},
		"incident, too large":            {decoded(DecodeIncident), incident(`"x":"` + strings.Repeat("y", MaxRecord) + `"`), "more than"},
		"service, no object":             {decoded(DecodeService), `[]`, "not a JSON object"},
		"service, no service":            {decoded(DecodeService), `{"status":"UP"}`, "service is missing"},
		"service, definition a text":     {decoded(DecodeService), `{"service":"a","definition":"x"}`, "not valid"},
		"service, silenced in year 9999": {decoded(DecodeService), `{"service":"a","silenced_until":"9999-12-31T23:59:59-01:00"}`, "year 10000"},
		"service, a source's year":       {decoded(DecodeService), `{"service":"a","sources":[{},{"since":"9999-12-31T23:59:59-01:00"}]}`, "year 10000"},
		"command, no object":             {decoded(DecodeCommand), ``, "not a JSON object"},
		"command, no id":                 {decoded(DecodeCommand), `{"command":"heal"}`, "id is missing"},
		"command, args a text":           {decoded(DecodeCommand), `{"id":"c","args":"rm -rf"}`, "not valid"},
		"command, undo a text":           {decoded(DecodeCommand), `{"id":"c","args":{"undo":"yes"}}`, "not valid"},
		"docker, no object":              {decoded(DecodeDocker), `nul`, "not a JSON object"},
		"docker, no action":              {decoded(DecodeDocker), `{"container":"a"}`, "action is missing"},
		"docker, exit code a text":       {decoded(DecodeDocker), `{"action":"die","exit_code":"1"}`, "not valid"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.decode([]byte(test.value))
			if err == nil {
				t.Fatalf("read as %+v", got)
			}
			if !strings.Contains(err.Error(), test.reason) {
				t.Errorf("the reason is %q, want it to name %q", err, test.reason)
			}
		})
	}
}

// TestUnknownIncidentTypes are read by later versions' readers: their data is
// kept byte for byte.
func TestUnknownIncidentTypes(t *testing.T) {
	for _, raw := range []string{`{"a":1}`, `{}`, `[1,"<&>"]`, `"x"`, `null`, `{"n":1e999}`} {
		value := []byte(`{"id":"i","seq":2,"time":"2026-03-01T12:00:00Z","service":"a","type":"weighed","by":"x","data":` + raw + `}`)
		in, err := DecodeIncident(value)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if other, is := in.Data.(Other); !is || other.Type != "weighed" || string(other.Raw) != raw || TypeOf(in.Data) != "weighed" {
			t.Errorf("%s is read as %#v", raw, in.Data)
		}
		if got := Encode(in); string(got) != string(value) {
			t.Errorf("it is written as %s, want %s", got, value)
		}
	}
	bare, err := DecodeIncident([]byte(`{"id":"i","seq":2,"type":"weighed"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(Encode(bare)); !strings.Contains(got, `"type":"weighed","by":"","data":{}`) {
		t.Errorf("without data it is written as %s", got)
	}
}

// TestAbsentData is that of an event which says nothing more than its type.
func TestAbsentData(t *testing.T) {
	for _, want := range incidentData() {
		for _, data := range []string{"", `,"data":null`, `,"data":{}`, `,"data":{"later":{"x":1}}`} {
			in, err := DecodeIncident([]byte(`{"id":"i","seq":1,"type":"` + string(TypeOf(want)) + `"` + data + `}`))
			if err != nil {
				t.Errorf("%s%s: %v", TypeOf(want), data, err)
				continue
			}
			if reflect.TypeOf(in.Data) != reflect.TypeOf(want) {
				t.Errorf("%s%s is read as %T, want %T", TypeOf(want), data, in.Data, want)
			}
		}
	}
}

// TestInstantsAreUTC finds every instant of every record by reflection, so
// that a new field is not forgotten.
func TestInstantsAreUTC(t *testing.T) {
	zone := time.FixedZone("+05:30", 5*3600+1800)
	local := when.In(zone)
	records := []any{
		Service{Time: local, Since: local, FirstBad: &local, SilencedUntil: &local, Sources: []Source{{Since: local}}},
		&Service{Time: local, Since: local, FirstBad: &local, SilencedUntil: &local, Sources: []Source{{Since: local}}},
		Command{Time: local}, Docker{Time: local},
	}
	for _, data := range incidentData() {
		in := incidentOf(data)
		in.Time = local
		v := reflect.New(reflect.TypeOf(data)).Elem()
		v.Set(reflect.ValueOf(data))
		setInstants(v, local)
		in.Data = v.Interface().(Data)
		records = append(records, in)
	}
	for _, record := range records {
		value := string(Encode(record))
		if strings.Contains(value, "+05:30") || !strings.Contains(value, "2026-03-01T12:00:00.123456789Z") {
			t.Errorf("%T is written as %s", record, value)
		}
	}
	if local.Location() != zone || records[1].(*Service).Time.Location() != zone || records[1].(*Service).Sources[0].Since.Location() != zone {
		t.Error("Encode changed the value that it was given")
	}
	in, err := DecodeIncident([]byte(`{"id":"i","seq":1,"type":"suppressed","time":"2026-03-01T17:30:00+05:30","data":{"until":"2026-03-01T17:30:00+05:30"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if until := in.Data.(Suppressed).Until; in.Time.Location() != time.UTC || until.Location() != time.UTC || until.Hour() != 12 {
		t.Errorf("an instant with an offset is read as %v and %v, want it in UTC", in.Time, until)
	}
}

func setInstants(v reflect.Value, to time.Time) {
	for i := range v.NumField() {
		switch field := v.Field(i); {
		case field.Type() == instant:
			field.Set(reflect.ValueOf(to))
		case field.Type() == reflect.PointerTo(instant):
			field.Set(reflect.ValueOf(&to))
		case field.Kind() == reflect.Struct:
			setInstants(field, to)
		}
	}
}

// TestListsAreArrays: the contract has arrays, and a page's code loops over them.
func TestListsAreArrays(t *testing.T) {
	for _, record := range []any{Service{}, incidentOf(Evidence{}), incidentOf(Diagnosed{})} {
		var fields map[string]any
		if err := json.Unmarshal(Encode(record), &fields); err != nil {
			t.Fatal(err)
		}
		if data, is := fields["data"].(map[string]any); is {
			fields = data
		}
		for _, name := range []string{"sources", "facts", "logs", "legal", "not_offered"} {
			if list, has := fields[name]; has && reflect.TypeOf(list) != reflect.TypeFor[[]any]() {
				t.Errorf("%T: %s is %v, want an array", record, name, list)
			}
		}
	}
}

func TestEncodeKeepsText(t *testing.T) {
	if got, want := string(Encode(Approved{"<b> & \"c\"\n"})), `{"reason":"<b> & \"c\"\n"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEncodePanicsOnWhatJSONCannotHold(t *testing.T) {
	for name, record := range map[string]any{"a channel": make(chan int), "a year": Command{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was encoded", name)
				}
			}()
			Encode(record)
		}()
	}
}

func TestSeconds(t *testing.T) {
	for _, at := range []time.Time{time.Unix(0, 0), when.Truncate(time.Microsecond), time.Date(2099, 12, 31, 23, 59, 59, 999999000, time.UTC)} {
		back := FromSeconds(Seconds(at))
		if !back.Equal(at) || back.Location() != time.UTC {
			t.Errorf("%v comes back as %v", at, back)
		}
	}
	if got := (HealthLog{Timestamp: 1.5}).Time(); !got.Equal(time.Unix(1, 5e8)) {
		t.Errorf("1.5 s is %v", got)
	}
}

func TestCheckServiceName(t *testing.T) {
	for _, name := range []string{"a", "payment-service", "Zahlung ü", "日本", strings.Repeat("x", 128), "a/b?c=d", "LogStream", "**"} {
		if err := CheckServiceName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "logstream", "*", strings.Repeat("x", 129), "a\tb", "a\x00", "\x1b[0m", "a\u200bb", "a\ufffdb", "\xc3"} {
		if CheckServiceName(name) == nil {
			t.Errorf("%q is admitted", name)
		}
	}
}
