package dashboard

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"logstream/dashboard/access"
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
		{Config{Listen: ":5000", Users: []access.User{{Name: "ada", Password: "$2a$10$0000000000000000000000000000000000000000000000000000u", Role: access.Operator}}}, ""},
		{Config{Listen: ":5000", Tokens: []access.Token{{Name: "ci", Token: operatorToken, Role: access.Viewer}}}, ""},
		{Config{Listen: ":5000", Proxy: access.Proxy{From: []string{"10.0.0.1"}, Header: "Remote-User"}}, ""},
		{Config{Listen: ":5000", Proxy: access.Proxy{From: []string{"10.0.0.1"}}}, "listen"}, // it names no one
		{Config{Listen: "localhost:1", BasePath: "/a/b-c"}, ""},
		{Config{Listen: "localhost:1", BasePath: "a"}, "base_path"},
		{Config{Listen: "localhost:1", BasePath: "/a/"}, "base_path"},
		{Config{Listen: "localhost:1", BasePath: "/"}, "base_path"},
		{Config{Listen: "localhost:1", BasePath: "/a/../b"}, "base_path"},
		{Config{Listen: "localhost:1", BasePath: `/"><script>`}, "base_path"},
		{Config{Listen: "localhost:1", Hosts: []string{"status.example", "10.0.0.1", "::1", "a_b"}}, ""},
		{Config{Listen: "localhost:1", Hosts: []string{"https://status.example"}}, "hosts"},
		{Config{Listen: "localhost:1", Hosts: []string{"status.example:80"}}, "hosts"},
		{Config{Listen: "localhost:1", Hosts: []string{""}}, "hosts"},
		{Config{Listen: "localhost:1", PublicURL: "https://status.example/"}, ""},
		{Config{Listen: "localhost:1", PublicURL: "https://status.example/a", BasePath: "/a"}, ""},
		{Config{Listen: "localhost:1", PublicURL: "https://status.example/a"}, "public_url"},
		{Config{Listen: "localhost:1", PublicURL: "status.example"}, "public_url"},
		{Config{Listen: "localhost:1", PublicURL: "javascript://x/"}, "public_url"},
		{Config{Listen: "localhost:1", PublicURL: "https://ada:pw@status.example"}, "public_url"},
		{Config{Listen: "localhost:1", Open: []string{"metrics"}}, ""},
		{Config{Listen: "localhost:1", Open: []string{"api"}}, "open"},
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
