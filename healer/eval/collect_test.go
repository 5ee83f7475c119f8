package eval

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"logstream/healer/replay"
)

var collect = flag.String("collect", "", "take the recordings of this directory, and its labels.json, in place of the incidents that are there")

// collectFrom takes what a run of the fault suite left in dir. What does not show a
// decision by the runbook that is right is left out, and named.
func collectFrom(t *testing.T, dir string) {
	t.Helper()
	var labels, kept []Case
	decode(t, filepath.Join(dir, "labels.json"), &labels)
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range recordings(t) {
		if err := os.Remove(old); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(labels, func(a, b Case) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	texts, names := map[string][]byte{}, map[string]string{}
	for _, c := range labels {
		file, text := recordingOf(t, files, texts, c.Name)
		if file == "" {
			t.Logf("%s: not recorded", c.Name)
			continue
		}
		r, err := replay.Read(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var got Result
		err = replayOf(t.Context(), r, []Case{c}, nil, func(r Result) { got = r })
		if err != nil || got.Runbook.Verdict != Right || got.Done.Verdict != Right {
			t.Logf("%s is left out: %v, runbook %q, done %q, right %v", c.Name, err, got.Runbook.Action, got.Done.Action, c.Right)
			continue
		}
		if names[file] == "" {
			names[file] = c.Name + ".jsonl.gz"
			save(t, names[file], text)
		}
		c.Recording = names[file]
		kept = append(kept, c)
	}
	text, err := json.MarshalIndent(kept, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("cases.json", append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d incidents in %d recordings; build again to have them shipped", len(kept), len(names))
}

// recordingOf is the recording that has a service, with the name of no real machine as
// its instance.
func recordingOf(t *testing.T, files []string, texts map[string][]byte, service string) (string, []byte) {
	t.Helper()
	for _, file := range files {
		if texts[file] == nil {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := replay.Read(bytes.NewReader(text))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			texts[file] = bytes.ReplaceAll(text, []byte(strconv.Quote(r.Instance)), []byte(`"recorder"`))
		}
		r, err := replay.Read(bytes.NewReader(texts[file]))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, def := range r.Services {
			if def.Name == service {
				return file, texts[file]
			}
		}
	}
	return "", nil
}

func save(t *testing.T, name string, text []byte) {
	t.Helper()
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("incidents", name), packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func recordings(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("incidents/*.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
