package healer

import (
	"context"
	"errors"
	"testing"

	"logstream/healer/action"
)

// printing is a command that prints its text and fails with the same.
type printing string

func (p printing) Run(context.Context, action.Command) (string, error) {
	return string(p), errors.New("it ended with exit code 1: " + string(p))
}

// What an operator's command prints is shown: its own arguments, keys of several
// lines and what a colour hides from the mask are not.
func TestSecretsThatACommandPrintsAreMasked(t *testing.T) {
	args := []string{"/bin/reload", "--token", "hunter22", "postgres://app:hunter23@db/x"}
	output, err := hands{commands: printing("as hunter22 at hunter23\n-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAcanary\n-----END PRIVATE KEY-----\n\x1b[1mpassword\x1b[0m=hunter24\n")}.
		Run(t.Context(), action.Command{Args: args})
	if want := "as *** at ***\n***\n***\n***\npassword=***"; output != want || err == nil || err.Error() != "it ended with exit code 1: "+want {
		t.Errorf("got %q and %v, want %q", output, err, want)
	}
}
