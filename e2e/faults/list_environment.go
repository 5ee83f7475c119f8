//go:build e2e

package faults

import (
	"slices"
	"time"
)

// environment are faults around a container: its network, disk, limits, names.
var environment = []Scenario{
	{Name: "network-lost", Row: "network lost", Prepare: network, Containers: one("--network", "{prefix}-net", "--network-alias", "shop"), Inject: does("network", "disconnect", "{prefix}-net", "{}"),
		Want: Want{Actions: []string{"connect"}, Cause: []string{"network_lost"}, Check: hasNetwork("shop", "")}, Harmful: restarts},
	{Name: "network-lost-with-an-address", Row: "network lost", Prepare: networkOf("10.66.7.0/24"),
		Containers: one("--network", "{prefix}-net", "--network-alias", "till", "--ip", "10.66.7.77"), Inject: does("network", "disconnect", "{prefix}-net", "{}"),
		Want: Want{Actions: []string{"connect"}, Cause: []string{"network_lost"}, Check: hasNetwork("till", "10.66.7.77")}, Harmful: restarts},
	{Name: "network-lost-at-once", Row: "network lost", Group: "at once", AtOnce: true, Prepare: network, Containers: one("--network", "{prefix}-net", "--network-alias", "shop"), Inject: does("network", "disconnect", "{prefix}-net", "{}"),
		Want: Want{Actions: []string{"connect"}, Cause: []string{"network_lost"}, Check: hasNetwork("shop", "")}, Harmful: restarts},
	{Name: "volume-full", Row: "volume full", Prepare: volume, Containers: one("-v", "{dir}/volume:/data"), Inject: then(visits("/write?dir=/data&lasting"), visits("/fill?dir=/data")),
		Want: Want{End: []End{Escalated, Held}, Gate: []string{"full"}, Cause: []string{"volume_full"}}, Harmful: anything},
	{Name: "read-only-file-system", Row: "read-only file system", Prepare: volume, Containers: one("-v", "{dir}/volume:/data"), Inject: then(visits("/write?dir=/data&lasting"), readOnly),
		Want: Want{End: []End{Escalated}, Cause: []string{"read_only_fs"}}, Harmful: anything},
	{Name: "read-only-container", Row: "read-only file system", Prepare: volume, Containers: one("--read-only"), Inject: visits("/write?dir=/"),
		Want: Want{End: []End{Escalated}, Cause: []string{"read_only_fs"}}, Harmful: anything},
	{Name: "cpu-starved", Row: "CPU starved", Containers: []Container{{Config: "timeout: 500ms"}}, Inject: then(append(slices.Repeat([]func(*Stage) error{visits("/spin?lasting")}, 16), does("update", "--cpus", "0.01", "{}"))...),
		Want: Want{End: []End{Escalated}, Cause: []string{"cpu_starved"}}, Harmful: anything},
	// Its periods are short at first: ten seconds have as many as a quarter of an hour has of the later ones.
	{Name: "cpu-starved-later", Row: "CPU starved", NotFor: onlyOurs, Containers: []Container{{URL: Own, Args: []string{"--cpu-period", "1000", "--cpu-quota", "2000"}, Config: "timeout: 2s"}},
		Inject: then(visits("/spin?lasting"), after(10*time.Second, then(append(slices.Repeat([]func(*Stage) error{visits("/spin?lasting")}, 15), does("update", "--cpu-period", "100000", "--cpu-quota", "1000", "{}"))...))),
		Want:   Want{End: []End{Escalated}, Cause: []string{"cpu_starved"}}, Harmful: anything},
	{Name: "dns-broken", Row: "DNS broken inside", Containers: one("--dns", "203.0.113.1"), Inject: visits("/lookup?name=example.test&lasting"),
		Want: Want{End: []End{Escalated}, Cause: []string{"dns_inside"}}, Harmful: anything},
	{Name: "certificate-expired", Row: "certificate expired", Prepare: certificates, Containers: []Container{{URL: TLS, Config: "tls: {ca: '{dir}/ca.pem'}"}}, Inject: visits("/expire?lasting"),
		Want: Want{End: []End{Escalated}, Cause: []string{"tls_certificate"}}, Harmful: anything, NotFor: map[string]string{poc: "it knows plain HTTP alone"}},
	{Name: "certificate-with-a-command", Row: "certificate expired", Prepare: certificates, NotFor: onlyOurs,
		Containers: []Container{{URL: TLS, Config: "tls: {ca: '{dir}/ca.pem'}, heal: {commands: {renew: [touch, '{dir}/renewed']}}"}}, Inject: visits("/expire"),
		Want: Want{Actions: []string{"run"}, End: []End{Escalated, Healed}, Cause: []string{"tls_certificate"}, Check: hasFile("renewed")}, Harmful: anything},
	{Name: "mistyped-url", Row: "health check broken, service fine", Containers: []Container{{URL: Wrong, Down: true}},
		Want: Want{End: []End{Escalated}, Cause: []string{"check_never_up"}}, Harmful: anything, NotFor: onlyOurs},
	{Name: "mistyped-container", Row: "health check broken, service fine", Containers: []Container{{Config: "container: nowhere"}}, NotFor: onlyOurs,
		Want: Want{End: []End{Quiet}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "renamed-container", Row: "deployment under way", Containers: one(), Inject: then(does("rename", "{}", "{prefix}-renamed"), renameBack), NotFor: onlyOurs,
		Want: Want{End: []End{Quiet}, Stay: 25 * time.Second}, Harmful: anything},
}
