//go:build linux

package process

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestOfThisProcess(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; {
		if used, err := CPU(os.Getpid()); err != nil || used > before {
			if err != nil || used-before > time.Minute {
				t.Errorf("after %s it is %s, %v", before, used, err)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("in a minute it used nothing")
		}
	}
	now, err := Memory(os.Getpid(), "VmRSS")
	most, failed := Memory(os.Getpid(), "VmHWM")
	if err != nil || failed != nil || now < 1 || most < now/2 {
		t.Errorf("it has %g MB, %v, and had %g, %v", now, err, most, failed)
	}
	if _, err := Memory(os.Getpid(), "VmNone"); err == nil {
		t.Error("a line that is not there is read")
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	if err := Sleep(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sleep(ctx, time.Hour); err != context.Canceled {
		t.Error(err)
	}
}
