package redact

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing secret", "GET /pay 200 in 12 ms, token bucket is full", "GET /pay 200 in 12 ms, token bucket is full"},
		{"assignment", "connecting with password=hunter2 to db", "connecting with password=*** to db"},
		{"environment", "DB_PASSWORD=a,b exported", "DB_PASSWORD=***,b exported"},
		{"yaml", "api_key: 0123456789", "api_key: ***"},
		{"json", `{"access_token":"abc def","user":"x"}`, `{"access_token":***,"user":"x"}`},
		{"json with an escape", `{"secret":"a\"b","n":1}`, `{"secret":***,"n":1}`},
		{"single quotes", `passwd = 'with space' ok`, `passwd = *** ok`},
		{"address", "dial postgres://app:s3cr@t@db:5432/x?y=1", "dial postgres://app:***@db:5432/x?y=1"},
		{"address with a token in it", "GET https://x/y?token=abc&z=1", "GET https://x/y?token=***&z=1"},
		{"header", "Authorization: Bearer abcdef0123456789", "Authorization: *** ***"},
		{"bare bearer", "sent bearer abcdef0123456789", "sent bearer ***"},
		{"flag", "mysqld --password hunter2 --port 3306", "mysqld --password *** --port 3306"},
		{"flag of a compound word", "app --db-password hunter2", "app --db-password ***"},
		{"flag at the start", "-password hunter2", "-password ***"},
		{"no flag but a compound word", "WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS invalid username-password pair or user is disabled."},
		{"web token", "got eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc-_1 back", "got *** back"},
		{"key of a cloud", "using AKIAIOSFODNN7EXAMPLE now", "using *** now"},
		{"private key", "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb", "a\n***\nb"},
		{"private key that is cut off", "-----BEGIN PRIVATE KEY-----\nMIIE", "***"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.in); got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("password=hunter2 and more", "hunter2")
	f.Add("plain", "secret")
	f.Fuzz(func(t *testing.T, before, secret string) {
		if strings.ContainsAny(secret, " \t\n\v\f\r\"',;&)}]\\") || len(secret) < 12 || strings.ToValidUTF8(secret, "") != secret {
			return
		}
		for _, r := range secret {
			if r < '0' || r > 'z' {
				return
			}
		}
		got := Text("x password=" + secret)
		if strings.Contains(got, secret) {
			t.Errorf("Text left %q in %q", secret, got)
		}
		if again := Text(Text(before)); len(again) > 4*len(before)+64 {
			t.Errorf("masking twice grew %q to %q", before, again)
		}
	})
}
