package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func TestPasswordIsTheFirstLine(t *testing.T) {
	longest := strings.Repeat("x", 72)
	for in, want := range map[string]string{"correct horse\n": "correct horse", "correct horse": "correct horse", " a space \r\nnot this\n": " a space ", longest: longest} {
		if got, err := readPassword(strings.NewReader(in), io.Discard); got != want || err != nil {
			t.Errorf("of %.20q it reads %q, %v", in, got, err)
		}
	}
}

// TestPassword makes one hash of the shipped cost: it takes seconds under the race
// detector.
func TestPassword(t *testing.T) {
	for _, tt := range []struct {
		in, password string // empty: it is refused
		why          string
	}{
		{" correct horse \nnot this", " correct horse ", ""},
		{strings.Repeat("x", 73), "", "has 73 bytes, and bcrypt reads only the first 72"},
		{strings.Repeat("x", 100_000), "", "bcrypt reads only the first 72"},
		{"\n", "", "the password is empty"},
		{"", "", "the password is empty"},
	} {
		var out, errs bytes.Buffer
		root := rootCommand()
		root.SetIn(strings.NewReader(tt.in))
		root.SetOut(&out)
		root.SetErr(&errs)
		root.SetArgs([]string{"password"})
		err := root.Execute()
		switch {
		case tt.password == "" && (err == nil || !strings.Contains(err.Error(), tt.why) || out.Len() > 0):
			t.Errorf("%.20q: %v %s", tt.in, err, &out)
		case tt.password != "" && (err != nil || bcrypt.CompareHashAndPassword(bytes.TrimSpace(out.Bytes()), []byte(tt.password)) != nil):
			t.Errorf("%.20q: %v %s", tt.in, err, &out)
		}
	}
}
