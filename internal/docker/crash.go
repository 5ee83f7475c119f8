package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"logstream/internal/container"
)

// crash kills the container's main process as the kernel would: without the
// engine, which only sees it die. It takes a process of this machine that we may
// signal; one that cannot be shown to be the container's is left alone, since
// the engine may run on another machine, where the number means another process.
func (i *Injector) crash(ctx context.Context, id string) (none container.Before, err error) {
	now, err := i.r.inspectWhole(ctx, id)
	if err != nil {
		return none, err
	}
	switch {
	case !now.State.Running:
		return none, nil
	case now.State.Paused:
		return none, fmt.Errorf("crash container %s: it is paused, and would die only once it is not", short(id))
	case now.State.Pid <= 1:
		return none, fmt.Errorf("crash container %s: the engine does not report its process: %w", short(id), container.ErrUnsupported)
	}
	// The handle is of one process, even where another gets its number later; so it is taken
	// before the process is inspected.
	main, err := os.FindProcess(now.State.Pid)
	if err != nil {
		return none, fmt.Errorf("crash container %s: find its process %d: %w", short(id), now.State.Pid, err)
	}
	defer func() { _ = main.Release() }()
	if !belongs(now.State.Pid, id) {
		return none, fmt.Errorf("crash container %s: its process cannot be seen from here (another machine, a virtual machine, or LogStream in a container): %w", short(id), container.ErrUnsupported)
	}
	switch err := main.Kill(); {
	case err == nil, errors.Is(err, os.ErrProcessDone):
		return none, nil
	case errors.Is(err, os.ErrPermission):
		return none, fmt.Errorf("crash container %s: no permission to signal its process: run LogStream as root for this fault: %w", short(id), container.ErrUnsupported)
	default:
		return none, fmt.Errorf("crash container %s: kill its process %d: %w", short(id), now.State.Pid, err)
	}
}

// belongs says whether a process of this machine is one of that container's, by
// its control group or by a file that the engine mounts into it.
func belongs(pid int, id string) bool {
	for file, sign := range map[string]string{"cgroup": id, "mountinfo": id + "/hostname"} {
		content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
		if err == nil && strings.Contains(string(content), sign) {
			return true
		}
	}
	return false
}
