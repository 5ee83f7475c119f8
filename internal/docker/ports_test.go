package docker

import "testing"

// TestPortTaken reads what engines have said.
func TestPortTaken(t *testing.T) {
	for failure, want := range map[string]string{
		"": "",
		"driver failed programming external connectivity on endpoint port (c8860a0e): Error starting userland proxy: listen tcp4 127.0.0.1:18999: bind: address already in use": "127.0.0.1:18999",
		"driver failed programming external connectivity on endpoint web (f1): Bind for 0.0.0.0:8080 failed: port is already allocated":                                         "0.0.0.0:8080",
		"failed to set up container networking: driver failed programming external connectivity on endpoint web (f1): Bind for 0.0.0.0:8080 failed: port is already allocated":  "0.0.0.0:8080",
		"failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use":                                                                                   "0.0.0.0:8080",
		"listen tcp6 [::]:8080: bind: address already in use":                                                                                                                   "[::]:8080",
		"ports are not available: exposing port TCP 0.0.0.0:80 -> 0.0.0.0:0: listen tcp 0.0.0.0:80: bind: address already in use":                                               "0.0.0.0:80",
		"address already in use":                     "a host port",
		`exec: "/nope": stat /nope: no such file`:    "",
		"network 8c2f not found":                     "",
		"connect to 10.0.0.1:80: connection refused": "",
	} {
		if got := portTaken(failure); got != want {
			t.Errorf("%q: %q, want %q", failure, got, want)
		}
	}
}
