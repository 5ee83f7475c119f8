package redact

import (
	"slices"
	"strings"
	"testing"
)

func TestSecretsOfAnEnvironment(t *testing.T) {
	got := OfEnvironment([]string{"API_PASSWORD=hunter2", "DB_PASS=hunter22", "PASSENGERS=sixty-one", "PATH=/usr/bin:/bin", "HOME",
		"DATABASE_URL=postgres://app:s3cret@db/x?y=1", "REDIS=redis://:sl/ash#1@db:6379/0", "POSTGRES_PASSWORD_FILE=/run/secrets/db", "PGPASSWORD=short", "DB_PW=hunter3", "PWM=fan-speed", "TOKEN_URL=http://auth.test/token"})
	if want := []string{"hunter22", "sl/ash#1", "hunter2", "hunter3", "s3cret"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Known("hunter22 and hunter2", got...); got != "*** and ***" {
		t.Errorf("they are masked as %q", got)
	}
}

func TestSecretsOfACommandLine(t *testing.T) {
	got := OfArguments([]string{"/usr/bin/reload", "--token=abcdef1", "--password", "abcdef2", "--all", "password=abcdef3", "http://ann:abcdef4@x", "--secret", "--verbose"})
	if want := []string{"abcdef1", "abcdef2", "abcdef3", "abcdef4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKeysThatAreLines(t *testing.T) {
	const body, end = "MIIEowIBAAKCAQEAcanarycanary", "-----END RSA PRIVATE KEY-----"
	for _, tt := range []struct{ name, in, want string }{
		{"whole", "a\nx: -----BEGIN RSA PRIVATE KEY-----\n" + body + "\n" + body + "==\n" + end + " b\nsha: " + body, "a\nx: ***\n***\n***\n*** b\nsha: " + body},
		{"with a prefix", "12:00 -----BEGIN PRIVATE KEY-----\n12:00 | " + body + "\n12:00 " + end + "\nb", "12:00 ***\n12:00 | ***\n***\nb"},
		{"begun before", "listening\n" + body + "\n" + body + "\n" + end, "listening\n***\n***\n***"},
		{"not ended", "-----BEGIN EC PRIVATE KEY-----\n" + body, "***\n***"},
		{"in one line, which the rules mask", "k=-----BEGIN PRIVATE KEY-----" + body + end + "\n" + body, "k=-----BEGIN PRIVATE KEY-----" + body + end + "\n" + body},
		{"none", "commit " + body + "\nb", "commit " + body + "\nb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := strings.Split(tt.in, "\n")
			if Keys(lines); strings.Join(lines, "\n") != tt.want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), tt.want)
			}
		})
	}
}
