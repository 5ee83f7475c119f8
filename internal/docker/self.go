package docker

import (
	"os"
	"regexp"
	"strings"
)

var (
	fullID  = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	shortID = regexp.MustCompile(`^[0-9a-f]{12}$`)
)

// readSelf is the ID, or its first 12 digits, of the container that this
// process runs in; empty outside of containers, and where it is not known.
func readSelf() string {
	// A file that is missing says that there is nothing to learn from it.
	cgroup, _ := os.ReadFile("/proc/self/cgroup")
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	hostname := ""
	if _, err := os.Stat("/.dockerenv"); err == nil {
		hostname, _ = os.Hostname()
	}
	return selfID(string(cgroup), string(mounts), hostname)
}

// selfID finds the container in what the kernel says of this process: its
// control groups (version 1), the files that the engine mounts over those in
// /etc (version 2), and last the host name, which is the ID by default.
func selfID(cgroup, mountinfo, hostname string) string {
	if id := fullID.FindString(cgroup); id != "" {
		return id
	}
	for line := range strings.Lines(mountinfo) {
		// ID, parent, device, root, mount point: see proc_pid_mountinfo(5).
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		switch fields[4] {
		case "/etc/hostname", "/etc/hosts", "/etc/resolv.conf":
			if id := fullID.FindString(fields[3]); id != "" {
				return id
			}
		}
	}
	if shortID.MatchString(hostname) {
		return hostname
	}
	return ""
}
