//go:build e2e

package engine

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killLeftovers kills the processes that an engine left: daemons and shims, which
// name its folder on their command line, and what runs in its control group.
func killLeftovers(dir, cgroup string) error {
	none := within(10*time.Second, func() bool {
		left := leftovers(dir, cgroup)
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended just now
		}
		return len(left) == 0
	})
	if !none {
		return fmt.Errorf("end the engine's processes: %v are left", leftovers(dir, cgroup))
	}
	return nil
}

func leftovers(dir, cgroup string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		groups, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cgroup"))
		command, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if bytes.Contains(groups, []byte(":"+cgroup+"/")) || isDaemon(command, dir) {
			found = append(found, pid)
		}
	}
	return found
}

func isDaemon(command []byte, dir string) bool {
	return bytes.Contains(command, []byte(dir+"/")) &&
		(bytes.Contains(command, []byte("containerd")) || bytes.Contains(command, []byte("dockerd")))
}

// unmountBelow unmounts what an engine left mounted in its folder.
func unmountBelow(dir string) error {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("find the engine's mounts: %w", err)
	}
	var points []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			points = append(points, fields[4])
		}
	}
	for _, point := range slices.Backward(points) {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
	return nil
}

// bridgeName is that of a network's bridge, as the engine writes it down.
var bridgeName = regexp.MustCompile(`br-[0-9a-f]{12}`)

// networkBridges are the bridges of the engine's networks, past and present, by
// what it wrote down. It leaves them when it ends, each with addresses that no
// engine takes again: after 31 of them no network can be created any more.
func networkBridges(dir string) (names []string) {
	written, _ := os.ReadFile(filepath.Join(dir, "data", "network", "files", "local-kv.db")) // an engine that never ran has none
	for _, name := range bridgeName.FindAll(written, -1) {
		if !slices.Contains(names, string(name)) {
			names = append(names, string(name))
		}
	}
	return names
}

func removeBridges(names []string) (err error) {
	for _, name := range names {
		if _, gone := net.InterfaceByName(name); gone != nil {
			continue
		}
		if out, ipErr := exec.Command("ip", "link", "delete", name).CombinedOutput(); ipErr != nil {
			err = errors.Join(err, fmt.Errorf("remove the engine's bridge %s: %w: %s", name, ipErr, out))
		}
	}
	return err
}

// removeCgroups removes the engine's control groups, which are empty by now.
// One that stays does no harm.
func removeCgroups(name string) {
	roots, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
	for _, root := range append(roots, "/sys/fs/cgroup/"+name) {
		var folders []string
		_ = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		for _, folder := range slices.Backward(folders) {
			_ = os.Remove(folder)
		}
	}
}
