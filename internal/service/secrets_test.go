package service

import (
	"slices"
	"testing"
)

func TestSecretsAreThoseOfTheCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   Definition
		want []string
	}{
		{"none", Definition{URL: "http://web:8080/health?a=1"}, nil},
		{"a login and a query", Definition{URL: "http://ann:hunter2@web/?key=a+long%20one&type=json"}, []string{"YW5uOmh1bnRlcjI=", "a long one", "a+long+one", "hunter2"}},
		{"a token for a user", Definition{URL: "http://0123456789@web/"}, []string{"0123456789"}},
		{"keys that are no secrets", Definition{URL: "postgres://ann@web/?sslmode=verify-full"}, nil},
		{"what a request carries", Definition{URL: "http://web", Request: Request{Bearer: "bear", Body: `{"pin":1234}`, Headers: map[string]string{"X-Token": "header1", "Accept": "text/html"}}},
			[]string{`{"pin":1234}`, "header1", "bear"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.of.Secrets(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
