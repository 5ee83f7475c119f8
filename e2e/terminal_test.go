//go:build e2e

package e2e

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// onTerminal has cmd run on a terminal of its own, whose screen goes to out and
// whose keyboard is what is returned.
func onTerminal(t *testing.T, cmd *exec.Cmd, out io.Writer) (keyboard io.Writer) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("open a terminal: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatalf("unlock the terminal: %v", err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatalf("ask for the terminal's number: %v", err)
	}
	terminal, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("open the terminal: %v", err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(out, screen) // until no process has the terminal open any more, which is an error here
	}()
	t.Cleanup(func() { // runs after the process has ended: it was registered first
		terminal.Close()
		<-read
		screen.Close()
	})
	return screen
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// terminalLines are the lines on the terminal's screen that name a service, as they are
// read: without their colours.
func (d *daemon) terminalLines(name string) []string {
	var lines []string
	for line := range strings.Lines(d.out.String()) {
		if line = strings.TrimSpace(colour.ReplaceAllString(line, "")); strings.Contains(line, name) {
			lines = append(lines, line)
		}
	}
	return lines
}
