package specification

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestWhatIsNoLongerConfiguredIsDeletedAfterADay, and an edit that is put back sooner
// loses nothing.
func TestWhatIsNoLongerConfiguredIsDeletedAfterADay(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	for _, service := range []string{"web", "db"} {
		if err := s.Keep(service, "abc", []byte(`{"Env":["PASSWORD=hunter2"]}`)); err != nil {
			t.Fatal(err)
		}
	}
	foreign := filepath.Join(s.Dir, "notes")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	sweep := func(at time.Duration, want bool, configured ...string) {
		t.Helper()
		swept, err := s.Sweep(configured, 24*time.Hour, now.Add(at))
		if err != nil || swept != want {
			t.Errorf("after %s: swept is %v, %v", at, swept, err)
		}
	}
	has := func(service string) bool {
		_, err := s.Load(service, "abc")
		return err == nil
	}
	sweep(0, false, "web", "db")
	sweep(time.Hour, false, "db") // web was removed
	sweep(time.Hour+time.Minute, false, "web", "db")
	sweep(24*time.Hour, false, "db") // and again
	sweep(47*time.Hour, false, "db")
	if !has("web") {
		t.Fatal("it was deleted sooner than a day after it was removed")
	}
	if keys, err := s.Kept(); err != nil || len(keys) != 2 {
		t.Errorf("kept are %v, %v", keys, err)
	}
	sweep(48*time.Hour, true, "db")
	if has("web") || !has("db") {
		t.Errorf("web is kept: %v, db: %v", has("web"), has("db"))
	}
	if _, err := os.Stat(filepath.Join(s.Dir, directory("web"))); !os.IsNotExist(err) {
		t.Errorf("its directory is left: %v", err)
	}
	sweep(49*time.Hour, false, "db")
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("a directory that is not ours: %v", err)
	}
}

func TestASweepOfNothing(t *testing.T) {
	if swept, err := (Store{Dir: filepath.Join(t.TempDir(), "none")}).Sweep(nil, 0, time.Now()); swept || err != nil {
		t.Errorf("swept is %v, %v", swept, err)
	}
}
