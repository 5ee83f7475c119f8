package specification

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheNewestAndTheOneBeforeAreKept(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "specifications")}
	if kept, err := s.Kept(); err != nil || len(kept) != 0 {
		t.Errorf("before anything was kept: %v, %v", kept, err)
	}
	for i, hash := range []string{"a", "b", "c", "b"} {
		if err := s.Keep("shop/web", hash, []byte("PASSWORD=hunter2 "+hash)); err != nil {
			t.Fatal(err)
		}
		path, _ := s.path("shop/web", hash)
		at := time.Now().Add(time.Duration(i-10) * time.Second)
		if err := os.Chtimes(path, at, at); err != nil { // file systems count in steps
			t.Fatal(err)
		}
	}
	if err := s.Keep("db", "d", []byte("x")); err != nil {
		t.Fatal(err)
	}
	kept, err := s.Kept()
	slices.Sort(kept)
	if err != nil || !slices.Equal(kept, slices.Sorted(slices.Values([]string{Key("shop/web", "b"), Key("shop/web", "c"), Key("db", "d")}))) {
		t.Errorf("kept are %v, %v", kept, err)
	}
	if spec, err := s.Load("shop/web", "b"); err != nil || string(spec) != "PASSWORD=hunter2 b" {
		t.Errorf("%q, %v", spec, err)
	}
	if _, err := s.Load("shop/web", "a"); err == nil {
		t.Error("what was deleted is read")
	}
	if _, err := s.Load("db", "b"); err == nil {
		t.Error("another service's is read")
	}
}

func TestOnlyItsOwnerReadsIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "specifications")
	if err := (Store{dir}).Keep("web", "a", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasNotWrittenWholeIsNotKept(t *testing.T) {
	s := Store{t.TempDir()}
	path, _ := s.path("web", "a")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(filepath.Dir(path), ".new-1")
	if err := os.WriteFile(left, []byte("hal"), 0o600); err != nil {
		t.Fatal(err)
	}
	if kept, _ := s.Kept(); len(kept) != 0 {
		t.Errorf("kept are %v", kept)
	}
	if err := s.Keep("web", "a", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("the rest of it is still there")
	}
}

func TestHashesThatLeadElsewhereAreRefused(t *testing.T) {
	s := Store{t.TempDir()}
	for _, hash := range []string{"", "..", "../x", "a/b", ".new-1", strings.Repeat("a", 200)} {
		if err := s.Keep("web", hash, []byte("x")); err == nil {
			t.Errorf("%q is kept", hash)
		}
		if _, err := s.Load("web", hash); err == nil {
			t.Errorf("%q is read", hash)
		}
	}
	if err := s.Keep("web", "a", nil); err == nil {
		t.Error("an empty one is kept")
	}
}

// TestDirectoryMayHaveAnyName: a pattern is nothing but a name there.
func TestDirectoryMayHaveAnyName(t *testing.T) {
	for _, name := range []string{"data[1]", "data*", "data?", "[data", `da\ta`} {
		s := Store{Dir: filepath.Join(t.TempDir(), name)}
		if err := s.Keep("payment", "abc", []byte("spec")); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Kept(); err != nil || len(got) != 1 || got[0] != Key("payment", "abc") {
			t.Errorf("in %s are kept %v, %v", name, got, err)
		}
	}
}
