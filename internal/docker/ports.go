package docker

import (
	"regexp"
	"slices"
	"strings"

	"github.com/docker/go-connections/nat"

	"logstream/internal/text"
)

// published are the TCP ports of this machine that were asked for, each with the
// container's port that it leads to.
func published(bindings nat.PortMap) string {
	var pairs []string
	for port, all := range bindings {
		for _, b := range all {
			if b.HostPort != "" && port.Proto() == "tcp" {
				pairs = append(pairs, b.HostPort+":"+port.Port())
			}
		}
	}
	slices.Sort(pairs)
	return strings.Join(slices.Compact(pairs), " ")
}

// takenWords are what engines say of a start whose host port is in use: 20.10 to
// 29, with and without its proxy. Nothing else reads that text.
var takenWords = regexp.MustCompile(`(?i)address already in use|port is already allocated|ports are not available`)

// takenPort is the address in such an error.
var takenPort = regexp.MustCompile(`(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]*\]):(\d{1,5})\b`)

const maxPort = 64 // bytes of an address

// portTaken is the address that a failed start found in use; empty where the
// error is about something else, and "a host port" where it names none.
func portTaken(failure string) string {
	if !takenWords.MatchString(failure) {
		return ""
	}
	for _, found := range takenPort.FindAllString(failure, -1) {
		if !strings.HasSuffix(found, ":0") {
			return text.Clip(found, maxPort)
		}
	}
	return "a host port"
}
