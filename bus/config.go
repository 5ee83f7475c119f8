package bus

import "time"

// Config is where the log is. With no Brokers an embedded one is started.
type Config struct {
	Brokers  Addresses `yaml:"brokers"`
	Embedded Embedded  `yaml:"embedded"`
	// Secret signs our records; instances that share a log share it. Empty:
	// a file in the data directory, made at the first start, mode 0600.
	Secret string `yaml:"secret"`
}

// Embedded is the broker inside the process.
type Embedded struct {
	Listen    string        `yaml:"listen"` // loopback only
	Data      string        `yaml:"data"`   // directory; relative to the working directory
	Retention time.Duration `yaml:"retention"`
	MaxSize   Size          `yaml:"max_size"` // of system-logs, in bytes; at least one segment more is used
	Sync      bool          `yaml:"sync"`     // fsync every write: survives a power cut, and costs
}

// Default is the configuration before anything is configured.
func Default() Config {
	return Config{Embedded: Embedded{Listen: "127.0.0.1:9092", Data: "./data", Retention: 24 * time.Hour, MaxSize: 256 << 20}}
}
