package command

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

func shell(t *testing.T, script string) Command {
	return Command{Args: []string{"/bin/sh", "-c", script}, Dir: t.TempDir(), Service: "web; reboot", Incident: "in-1"}
}

func TestArgumentsReachTheProgramAsTheyAre(t *testing.T) {
	out, err := Run(t.Context(), Command{Args: []string{"printf", "<%s>", "$(id)", "a b", "; reboot"}, Dir: t.TempDir()})
	if err != nil || out != "<$(id)><a b><; reboot>" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestEnvironmentIsFourVariables(t *testing.T) {
	t.Setenv("LOGSTREAM_TOKEN", "hunter2")
	c := shell(t, "env; pwd")
	out, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PATH=" + os.Getenv("PATH"), "LOGSTREAM_SERVICE=web; reboot", "LOGSTREAM_INCIDENT=in-1", c.Dir} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%s is not in %q", want, out)
		}
	}
	if strings.Contains(out, "hunter2") {
		t.Errorf("it got this process's environment: %q", out)
	}
}

func TestEndsOtherThanZeroAreErrors(t *testing.T) {
	for script, want := range map[string]string{
		"echo no such pool >&2; exit 3": "it ended with exit code 3: no such pool",
		"exit 1":                        "it ended with exit code 1",
		"kill -9 $$":                    "it was ended by a signal: signal: killed",
	} {
		if _, err := Run(t.Context(), shell(t, script)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", script, err, want)
		}
	}
	if _, err := Run(t.Context(), Command{Args: []string{"/nowhere/x"}}); err == nil || !strings.HasPrefix(err.Error(), "it cannot be executed: ") {
		t.Errorf("%v", err)
	}
	if _, err := Run(t.Context(), Command{}); err == nil {
		t.Error("an empty command succeeds")
	}
}

// TestItsWholeGroupIsKilledAtTheDeadline: also what it started.
func TestItsWholeGroupIsKilledAtTheDeadline(t *testing.T) {
	c := shell(t, "sleep 300 & echo $! >child; wait")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := filepath.Join(c.Dir, "child")
	var child int
	go func() {
		defer cancel()
		for ctx.Err() == nil && child == 0 {
			written, _ := os.ReadFile(file)
			if bytes.HasSuffix(written, []byte("\n")) {
				child, _ = strconv.Atoi(strings.TrimSpace(string(written)))
			}
		}
	}()
	_, err := Run(ctx, c)
	if err == nil || !strings.Contains(err.Error(), "was killed") || child == 0 {
		t.Fatalf("child %d: %v", child, err)
	}
	for end := time.Now().Add(5 * time.Second); ; {
		if err := syscall.Kill(child, 0); err != nil || isZombie(child) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("its child %d still runs", child)
		}
	}
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestOutputIsBoundedToItsEnd(t *testing.T) {
	out, err := Run(t.Context(), shell(t, "i=0; while [ $i -lt 300 ]; do printf '%01000d' $i; i=$((i+1)); done; echo; echo the end"))
	if err != nil || len(out) > event.MaxOutput+100 || len(out) < event.MaxOutput || !strings.HasSuffix(out, "the end\n") || !strings.HasPrefix(out, "… ") {
		t.Errorf("%d bytes, %q … %q, %v", len(out), out[:40], out[len(out)-10:], err)
	}
}

func TestProgramsThatCannotBeExecutedAreProblems(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{
		"sh": "", "/bin/sh": "", "./x": "an absolute path", "bin/x": "an absolute path", "no-such-program-at-all": "it is not in PATH",
		"/nowhere/x": "no such file", plain: "permission denied", "": "",
	} {
		d := service.Default()
		d.Heal.Commands = service.Commands{{Name: "reload", Args: []string{program, "s3cret"}}}
		all := Problems(d)
		switch {
		case want == "" && len(all) == 0:
		case want == "" || len(all) != 1 || !strings.Contains(all[0].Message, want) || strings.Contains(all[0].Message, "s3cret"):
			t.Errorf("%q: %+v, want %q", program, all, want)
		}
	}
}
