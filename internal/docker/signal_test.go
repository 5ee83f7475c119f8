package docker

import "testing"

func TestSignalNumber(t *testing.T) {
	for name, want := range map[string]string{"": "", "SIGQUIT": "3", "quit": "3", "15": "15", "SIGTERM": "15", "SIGRTMIN+3": "37", "SIGRTMAX-1": "63", "SIGNONE": ""} {
		if got := signalNumber(name); got != want {
			t.Errorf("signalNumber(%q) = %q, want %q", name, got, want)
		}
	}
}
