package event

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"unicode/utf8"
)

// golden adds the golden files whose names begin with prefix to the corpus.
func golden(f *testing.F, prefix string) {
	files, err := filepath.Glob(filepath.Join("testdata", prefix+"*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden file begins with %s: %v", prefix, err)
	}
	for _, file := range files {
		value, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
	}
	f.Add([]byte(`{"time":"9999-12-31T23:59:59-01:00","id":"a","seq":1,"service":"a","type":"x","data":null}`))
}

// stable is what holds of every record that can be read: what was read is
// written, and that is read as the same and written as the same bytes.
func stable[T any](t *testing.T, decode func([]byte) (T, error), value []byte) {
	read, err := decode(value)
	if err != nil {
		if !reflect.ValueOf(read).IsZero() {
			t.Fatalf("%q is refused (%v), and yet gives %+v", value, err, read)
		}
		return
	}
	written := Encode(read)
	again, err := decode(written)
	if err != nil {
		if len(written) > MaxRecord { // escapes made it longer than a record may be
			return
		}
		t.Fatalf("%q is written as %q, which can't be read: %v", value, written, err)
	}
	if !reflect.DeepEqual(again, read) {
		t.Fatalf("%q is read as %+v and comes back as %+v", value, read, again)
	}
	if rewritten := Encode(again); !bytes.Equal(rewritten, written) {
		t.Fatalf("%q is written as %q and then as %q", value, written, rewritten)
	}
}

func FuzzDecodeHealthLog(f *testing.F) {
	golden(f, "health")
	f.Add([]byte(`{"timestamp":1772366400.5,"service":"payment-service","status":"DOWN","code":500}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		stable(t, DecodeHealthLog, value)
		if h, err := DecodeHealthLog(value); err == nil {
			if h.Time().Year() > 9999 || h.Time().Year() < 1970 || !utf8.ValidString(h.Service) || CheckServiceName(h.Service) != nil || len(h.Error) > maxErrorText {
				t.Fatalf("%q is admitted as %+v", value, h)
			}
		}
	})
}

func FuzzDecodeIncident(f *testing.F) {
	golden(f, "incident")
	f.Fuzz(func(t *testing.T, value []byte) {
		stable(t, DecodeIncident, value)
		if in, err := DecodeIncident(value); err == nil && TypeOf(in.Data) != in.Type {
			t.Fatalf("%q has the type %s and data of %s", value, in.Type, TypeOf(in.Data))
		}
	})
}

func FuzzDecodeCommand(f *testing.F) {
	golden(f, "command")
	f.Fuzz(func(t *testing.T, value []byte) { stable(t, DecodeCommand, value) })
}

func FuzzDecodeService(f *testing.F) {
	golden(f, "service")
	f.Fuzz(func(t *testing.T, value []byte) { stable(t, DecodeService, value) })
}

func FuzzDecodeDocker(f *testing.F) {
	golden(f, "docker")
	f.Fuzz(func(t *testing.T, value []byte) { stable(t, DecodeDocker, value) })
}

func FuzzDecodeRollup(f *testing.F) {
	golden(f, "rollup")
	f.Fuzz(func(t *testing.T, value []byte) {
		stable(t, DecodeRollup, value)
		r, err := DecodeRollup(value)
		if err != nil || r.Latency == nil {
			return
		}
		before := r.Latency.Hist.Count()
		merged := r.Latency.Merge(r.Latency)
		if merged.Hist.Count() != 2*before || merged.P50 < merged.Min || merged.P95 > merged.Max {
			t.Fatalf("%+v twice is %+v", r.Latency, merged)
		}
		if err := merged.Hist.check(); err != nil && before < 1<<39 {
			t.Fatalf("%+v twice is not valid: %v", r.Latency, err)
		}
	})
}

func FuzzSignature(f *testing.F) {
	f.Add([]byte("secret"), TopicCommands, []byte("web"), []byte(`{}`), "7c96")
	f.Add([]byte(nil), "", []byte(nil), []byte(nil), "")
	f.Fuzz(func(t *testing.T, secret []byte, topic string, key, value []byte, other string) {
		signature := Sign(secret, topic, key, value)
		if !Verify(secret, topic, key, value, signature) {
			t.Fatal("a signature does not verify")
		}
		if Verify(secret, topic, key, append([]byte("x"), value...), signature) {
			t.Fatal("it verifies for another value")
		}
		// Hexadecimal in capitals is the same signature.
		if Verify(secret, topic, key, value, other) && !bytes.EqualFold([]byte(other), []byte(signature)) {
			t.Fatalf("%q is taken for %q", other, signature)
		}
	})
}
