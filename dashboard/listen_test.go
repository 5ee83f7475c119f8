package dashboard

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name   string
		config Config
		want   []string // parts of the error; none: it listens
		is     error
	}{
		{"any port", Config{Listen: "127.0.0.1:0"}, nil, nil},
		{"by name", Config{Listen: "localhost:0"}, nil, nil},
		{"beyond loopback with a token", Config{Listen: "0.0.0.0:0", Token: "secret"}, nil, nil},
		{"beyond loopback without", Config{Listen: "0.0.0.0:0"}, []string{"0.0.0.0:0", "dashboard.token"}, nil},
		{"everywhere without", Config{Listen: ":0"}, []string{"dashboard.token"}, nil},
		{"taken", Config{Listen: taken.Addr().String()}, []string{taken.Addr().String(), "another program is listening there", "another port"}, syscall.EADDRINUSE},
		{"not this machine's", Config{Listen: "203.0.113.1:5000"}, []string{"203.0.113.1:5000", "does not have that address"}, syscall.EADDRNOTAVAIL},
		{"not an address", Config{Listen: "5000"}, []string{"5000", "127.0.0.1:5000"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dash, err := New(open(t, func(d *Deps) { d.Config = tt.config }).deps)
			if err != nil {
				t.Fatal(err)
			}
			err = dash.Listen()
			if ln := dash.listener; ln != nil {
				defer ln.Close()
			}
			if tt.want == nil {
				if err != nil || dash.Addr() == "" || strings.HasSuffix(dash.Addr(), ":0") {
					t.Fatalf("Listen: %v, at %q", err, dash.Addr())
				}
				return
			}
			if err == nil {
				t.Fatalf("listens at %s", dash.Addr())
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestConfigProblems(t *testing.T) {
	tests := []struct {
		config Config
		want   string // keys
	}{
		{Default(), ""},
		{Config{Listen: "[::1]:5000"}, ""},
		{Config{Listen: "localhost:5000"}, ""},
		{Config{Listen: "0.0.0.0:5000", Token: "secret"}, ""},
		{Config{Listen: "0.0.0.0:5000"}, "listen"},
		{Config{Listen: "203.0.113.1:5000"}, "listen"},
		{Config{Listen: ":5000"}, "listen"},
		{Config{Listen: "localhost"}, "listen"},
		{Config{Listen: "localhost:http"}, "listen"},
		{Config{Listen: "localhost:65536"}, "listen"},
		{Config{Listen: "localhost:5000", Token: "a\nb"}, "token"},
		{Config{Listen: "localhost", Token: " a"}, "listen token"},
	}
	for _, tt := range tests {
		var keys []string
		for _, p := range tt.config.Problems() {
			keys = append(keys, p.Key)
			if p.Message == "" || strings.Contains(p.Value+p.Message, "secret") {
				t.Errorf("problem %+v", p)
			}
		}
		if got := strings.Join(keys, " "); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.config, got, tt.want)
		}
	}
}
