package docker

import "strings"

// stoppers are labels by which tools know the containers that they stop, for a
// backup or while they are idle, and start again. A stop by one of them is no
// failure.
var stoppers = []struct {
	label string
	tool  string
}{
	{"docker-volume-backup.stop-during-backup", "docker-volume-backup"},
	{"docker-volume-backup.stop-during-backup-no-restart", "docker-volume-backup"},
	{"stack-back.volumes.stop-during-backup", "stack-back"},
	{"nautical-backup.stop-before-backup", "nautical-backup"},
	{"sablier.enable", "sablier"},
}

// stoppedBy is the tool that stops a container with these labels; empty: none
// is known.
func stoppedBy(labels map[string]string) string {
	for _, s := range stoppers {
		if value, has := labels[s.label]; has && !strings.EqualFold(value, "false") {
			return s.tool
		}
	}
	return ""
}
