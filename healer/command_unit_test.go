package healer

import (
	"testing"

	"logstream/internal/service"
)

func TestCommandsAreQuoted(t *testing.T) {
	for name, want := range map[string]string{"payment-service": "docker start payment-service", "a b": "docker start 'a b'", "x;rm -rf /": "docker start 'x;rm -rf /'", "it's": `docker start 'it'\''s'`} {
		if got := command(service.ActionStart, name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
