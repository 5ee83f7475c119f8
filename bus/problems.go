package bus

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Problem is one thing that is wrong with a Config: at which key (with dots,
// such as embedded.listen), which value, and why.
type Problem struct{ Key, Value, Message string }

// Bounds of the configuration.
const (
	minRetention = time.Minute
	maxRetention = 366 * 24 * time.Hour
	minMaxSize   = Size(4 << 20)
	maxMaxSize   = Size(1 << 40)
	minSecret    = 16 // characters: what is shorter can be tried out
)

// Problems are all that is wrong with c; nil where nothing is.
func (c Config) Problems() []Problem {
	var all []Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, Problem{key, value, fmt.Sprintf(format, args...)})
	}
	for _, broker := range c.Brokers {
		if _, err := parseAddress(broker); err != nil {
			add("brokers", broker, "%v", err)
		}
	}
	if _, known := codecs[c.Compression]; !known {
		add("compression", c.Compression, "must be none, gzip, lz4, snappy or zstd")
	}
	e := c.Embedded
	if message := checkListen(e.Listen); message != "" {
		add("embedded.listen", e.Listen, "%s", message)
	}
	if e.Data == "" {
		add("embedded.data", "", "is empty: it must name a directory, such as ./data")
	}
	if e.Retention < minRetention || e.Retention > maxRetention {
		add("embedded.retention", e.Retention.String(), "must be between 1m and 8784h")
	}
	if e.MaxSize < minMaxSize || e.MaxSize > maxMaxSize {
		add("embedded.max_size", e.MaxSize.String(), "must be between %v and %v", minMaxSize, maxMaxSize)
	}
	if c.Secret != "" && len(c.Secret) < minSecret {
		add("secret", "***", "has %d characters; at least %d are required", len(c.Secret), minSecret)
	}
	return append(all, c.securityProblems()...)
}

// isLoopback says whether a host is localhost or a loopback address.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// checkListen says why the embedded broker cannot listen at address, or "". It
// has no authentication, so it serves this machine alone.
func checkListen(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "is not host:port, such as 127.0.0.1:9092"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("has the port %q, which is not between 0 and 65535", port)
	}
	if !isLoopback(host) {
		return "is not a loopback address: the embedded broker has no authentication, so it listens only on 127.0.0.1 or ::1; for clients on other machines run Kafka and set bus.brokers"
	}
	return ""
}
