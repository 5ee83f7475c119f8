package recording

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

var kind = Kind{"test recording", 2}

// written is a file of two lines.
func written(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, kind, map[string]string{"scenario": "s"})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2} {
		if err := w.Write(map[string]int{"n": n}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// readAll reads a file to its end, and returns how many lines it had.
func readAll(text string) (int, error) {
	var header struct{ Scenario string }
	r, err := NewReader(strings.NewReader(text), kind, &header)
	if err != nil {
		return 0, err
	}
	if header.Scenario != "s" {
		return 0, errors.New("the header is not the writer's")
	}
	for n := 0; ; n++ {
		raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		var line struct{ N int }
		if err := json.Unmarshal(raw, &line); err != nil || line.N != n+1 {
			return n, errors.New("a line is not the writer's")
		}
	}
}

func TestAFileIsReadAsItWasWritten(t *testing.T) {
	for name, text := range map[string]string{"plain": written(t), "compressed": packed(t, written(t))} {
		if n, err := readAll(text); n != 2 || err != nil {
			t.Errorf("%s: %d lines, %v", name, n, err)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	whole := written(t)
	lines := strings.SplitAfter(whole, "\n")
	small := packed(t, whole)
	for name, tt := range map[string]struct {
		text, want string
		cutOff     bool
	}{
		"empty":                    {"", "line 1: the file is empty", false},
		"foreign text":             {"hello\n", "line 1: the file is not a test recording", false},
		"foreign text without end": {"hello", "line 1: the file is not a test recording", false},
		"foreign JSON":             {"{}\n", "line 1: the file is not a test recording", false},
		"another recording":        {strings.Replace(whole, "test recording", "other", 1), "line 1: the file is not a test recording", false},
		"a later version":          {strings.Replace(whole, `"version":2`, `"version":3`, 1), "line 1: the file has format version 3; this program reads versions up to 2", false},
		"no end":                   {strings.Join(lines[:3], ""), "line 4: the recording ends early", true},
		"half a line":              {whole[:len(lines[0])+len(lines[1])+3], "line 3: the recording ends early", true},
		"a line is lost":           {lines[0] + lines[1] + lines[3], "line 3: the recording ends early", true},
		"not JSON":                 {lines[0] + lines[1] + "{\n" + lines[3], "line 3: is not valid JSON", false},
		"something behind the end": {whole + lines[2], "line 5: there is data after the end", false},
		"compressed and cut off":   {small[:len(small)-12], "the recording ends early", true},
		"compressed, only a start": {small[:6], "line 1: the recording ends early", true},
		"a line without an end":    {lines[0] + strings.Repeat("x", maxLine+10), "line 2: is longer than", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, ErrCutOff) != tt.cutOff {
				t.Errorf("got %v, want %q, cut off %t", err, tt.want, tt.cutOff)
			}
			var at *LineError
			if !errors.As(err, &at) {
				t.Errorf("%v names no line", err)
			}
		})
	}
}
