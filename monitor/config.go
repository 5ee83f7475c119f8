package monitor

import (
	"strconv"

	"logstream/internal/service"
)

// Config is how services are checked, beside what each of them says.
type Config struct {
	// ConnectionsPerHost is how many checks dial one host and port at a time;
	// zero: no limit.
	ConnectionsPerHost int `yaml:"connections_per_host"`
}

// Default is the configuration before anything is configured.
func Default() Config { return Config{ConnectionsPerHost: 100} }

// Problems are what is wrong with it.
func (c Config) Problems() []service.Problem {
	if n := c.ConnectionsPerHost; n < 0 || n > 10_000 {
		return []service.Problem{{Key: "connections_per_host", Value: strconv.Itoa(n), Message: "must be between 1 and 10000, or 0 for no limit"}}
	}
	return nil
}
