//go:build !unix

package command

import "os/exec"

// ownGroup leaves a command as it is: where there are no process groups, its own
// process alone is killed.
func ownGroup(*exec.Cmd) {}
