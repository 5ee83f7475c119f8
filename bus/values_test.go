package bus

import (
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

func TestConfigFromYAML(t *testing.T) {
	for _, c := range []struct{ yaml, brokers, size, fault string }{
		{yaml: "{}", size: "256MiB"},
		{yaml: "brokers:", size: "256MiB"},
		{yaml: `brokers: ""`, size: "256MiB"},
		{yaml: "brokers: localhost:9092", brokers: "localhost:9092", size: "256MiB"},
		{yaml: "brokers: 'a:1, b:2'", brokers: "a:1,b:2", size: "256MiB"},
		{yaml: "brokers: [a:1, '[::1]:2']", brokers: "a:1,[::1]:2", size: "256MiB"},
		{yaml: "brokers: []", size: "256MiB"},
		{yaml: "embedded: {max_size: 8MiB}", size: "8MiB"},
		{yaml: "embedded: {max_size: 1536 KiB}", size: "1536KiB"},
		{yaml: "brokers: localhost", fault: `"localhost" is not host:port`},
		{yaml: "brokers: [a:1, [b:2]]", fault: "is a list whose items must be host:port"},
		{yaml: "brokers: {a: 1}", fault: "must be a list of host:port"},
		{yaml: "brokers: 'a:1,,b:2'", fault: "an address is empty"},
		{yaml: "brokers: a:0", fault: `the port "0"`},
		{yaml: "brokers: a:70000", fault: `the port "70000"`},
		{yaml: "brokers: kafka://a:1", fault: "is not host:port"},
		{yaml: "embedded: {max_size: 256}", fault: `"256" is not a size such as 256MiB`},
		{yaml: "embedded: {max_size: 256MB}", fault: `"256MB" is not a size`},
		{yaml: "embedded: {max_size: -1MiB}", fault: "is not a size"},
		{yaml: "embedded: {max_size: 9000000TiB}", fault: "is too large"},
	} {
		got := Default()
		err := yaml.Unmarshal([]byte(c.yaml), &got)
		switch {
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s: error %v, want %q", c.yaml, err, c.fault)
		case c.fault == "" && err != nil:
			t.Errorf("%s: %v", c.yaml, err)
		case c.fault == "" && (got.Brokers.String() != c.brokers || got.Embedded.MaxSize.String() != c.size):
			t.Errorf("%s: brokers %q and size %v", c.yaml, got.Brokers, got.Embedded.MaxSize)
		}
	}
}

func TestProblems(t *testing.T) {
	if got := Default().Problems(); got != nil {
		t.Errorf("the default has problems: %+v", got)
	}
	for _, c := range []struct {
		change  func(*Config)
		key     string
		message string
	}{
		{func(c *Config) { c.Brokers = Addresses{"a"} }, "brokers", "is not host:port"},
		{func(c *Config) { c.Embedded.Listen = "203.0.113.1:9092" }, "embedded.listen", "not a loopback address"},
		{func(c *Config) { c.Embedded.Listen = "0.0.0.0:9092" }, "embedded.listen", "not a loopback address"},
		{func(c *Config) { c.Embedded.Listen = ":9092" }, "embedded.listen", "not a loopback address"},
		{func(c *Config) { c.Embedded.Listen = "example.com:9092" }, "embedded.listen", "not a loopback address"},
		{func(c *Config) { c.Embedded.Listen = "127.0.0.1" }, "embedded.listen", "is not host:port"},
		{func(c *Config) { c.Embedded.Listen = "127.0.0.1:x" }, "embedded.listen", `the port "x"`},
		{func(c *Config) { c.Embedded.Data = "" }, "embedded.data", "is empty"},
		{func(c *Config) { c.Embedded.Retention = time.Second }, "embedded.retention", "between"},
		{func(c *Config) { c.Embedded.MaxSize = 1 << 20 }, "embedded.max_size", "between 4MiB and 1TiB"},
		{func(c *Config) { c.Compression = "brotli" }, "compression", "none, gzip, lz4, snappy or zstd"},
		{func(c *Config) { c.Compression = "" }, "compression", "none, gzip, lz4, snappy or zstd"},
		{func(c *Config) { c.Secret = "hunter2" }, "secret", "at least 16 are required"},
	} {
		config := Default()
		c.change(&config)
		got := config.Problems()
		if len(got) != 1 || got[0].Key != c.key || !strings.Contains(got[0].Message, c.message) {
			t.Errorf("want one problem of %s with %q, got %+v", c.key, c.message, got)
		}
		if len(got) == 1 && strings.Contains(got[0].Value+got[0].Message, "hunter2") {
			t.Errorf("the secret is shown: %+v", got[0])
		}
	}
	for _, listen := range []string{"127.0.0.1:0", "127.0.0.9:1", "[::1]:9092", "localhost:9092"} {
		config := Default()
		config.Embedded.Listen = listen
		if got := config.Problems(); got != nil {
			t.Errorf("%s: %+v", listen, got)
		}
	}
}

func FuzzParseAddresses(f *testing.F) {
	for _, s := range []string{"", "a:1", "a:1,b:2", " [::1]:9092 ", "a:1,", "[a:b]:1", "a:+1", "%zone:1", "[fe80::1%eth0]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		all, err := ParseAddresses(s)
		if err != nil {
			return
		}
		again, err := ParseAddresses(all.String())
		if err != nil || again.String() != all.String() {
			t.Fatalf("%q is %q, read again %q, %v", s, all, again, err)
		}
	})
}
