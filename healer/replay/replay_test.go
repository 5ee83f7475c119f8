package replay

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"logstream/internal/raced"
)

var (
	update  = flag.Bool("update", false, "write the corpus again with the decisions of today, and list what changed")
	collect = flag.String("collect", "", "a directory of new recordings, which replace those of the corpus of the same scenario and engine")
)

const corpus = "testdata/corpus"

// mostCorpus is what the whole corpus may weigh.
const mostCorpus = 3 << 20

// TestTheCorpusIsDecidedAsItWas replays every recorded scenario.
func TestTheCorpusIsDecidedAsItWas(t *testing.T) {
	raced.Skip(t)
	if *collect != "" {
		collectInto(t, *collect)
	}
	files, err := filepath.Glob(filepath.Join(corpus, "*.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 80 {
		t.Fatalf("the corpus holds %d recordings only", len(files))
	}
	total, decisions := int64(0), 0
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		t.Run(filepath.Base(file), func(t *testing.T) {
			r := load(t, file)
			decisions += len(r.recordedDecisions())
			different, err := r.Compare()
			switch {
			case err != nil:
				t.Fatal(err)
			case different != "" && *update:
				t.Logf("%s on %s:\n%s", r.Scenario, r.Engine, different)
				save(t, file, r)
			case different != "":
				t.Errorf("%s on %s:\n%s", r.Scenario, r.Engine, different)
			}
		})
	}
	if total > mostCorpus {
		t.Errorf("the corpus weighs %d bytes, and may weigh %d", total, mostCorpus)
	}
	t.Logf("%d recordings of %d bytes, %d decisions", len(files), total, decisions)
}

func load(t *testing.T, file string) *Recording {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := Read(in)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}

// save writes a recording as it is decided today.
func save(t *testing.T, file string, r *Recording) {
	t.Helper()
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Rewrite(packed); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
