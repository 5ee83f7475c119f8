package event

import (
	"strings"
	"testing"
)

// TestSignVectors: the signatures were computed by another implementation of
// HMAC-SHA256 (Python's).
func TestSignVectors(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	tests := map[string]struct {
		secret     []byte
		topic      string
		key, value []byte
		want       string
	}{
		"a command":    {[]byte("secret"), TopicCommands, []byte("payment-service"), []byte(`{"id":"c1"}`), "7c96439bd5f03e6b67b5279f5384d709abae8c73d3a03b3b889d66c8ad65ef11"},
		"an empty key": {[]byte("secret"), TopicCommands, []byte(""), []byte(`{"id":"c1"}`), "329eadf71ef99bbd21bd03593ab1b34ff2985c9b78b88f78b7add16896561a54"},
		"no key":       {[]byte("secret"), TopicCommands, nil, []byte(`{"id":"c1"}`), "329eadf71ef99bbd21bd03593ab1b34ff2985c9b78b88f78b7add16896561a54"},
		"no secret":    {nil, TopicHealth, []byte("web"), []byte(`{}`), "f74425aa1b2ecd2a092a120d5df5f39a5a9f4a84781782384b2dc25c5b618a72"},
		"nothing":      {[]byte("secret"), "", nil, nil, "ab6f01c2596d35d72e50771aaf9384dbb638cd20114f8275faa3597f0b28217e"},
		"bytes":        {every, TopicIncidents, []byte("zahlung-ü"), []byte{0, 1, 2, 255}, "b619ef89d56ec2058539c95d7622b1e255ae49293e75db08b676e40419ce5d82"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Sign(test.secret, test.topic, test.key, test.value); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if !Verify(test.secret, test.topic, test.key, test.value, test.want) {
				t.Error("the right signature is refused")
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	secret, key, value := []byte("secret"), []byte("web"), []byte(`{"id":"c1"}`)
	right := Sign(secret, TopicCommands, key, value)
	if Verify([]byte("other"), TopicCommands, key, value, right) {
		t.Error("another secret's signature is taken")
	}
	if Verify(secret, TopicIncidents, key, value, right) {
		t.Error("another topic's signature is taken")
	}
	if Verify(secret, TopicCommands, []byte("db"), value, right) {
		t.Error("another key's signature is taken")
	}
	if Verify(secret, TopicCommands, key, []byte(`{"id":"c2"}`), right) {
		t.Error("another value's signature is taken")
	}
	flipped := "0" + right[1:]
	if right[0] == '0' {
		flipped = "1" + right[1:]
	}
	for _, wrong := range []string{"", right[:63], right[:62], right + "00", right + " ", "zz" + right[2:], flipped, strings.Repeat("0", 64)} {
		if Verify(secret, TopicCommands, key, value, wrong) {
			t.Errorf("%q is taken", wrong)
		}
	}
}
