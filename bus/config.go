package bus

import (
	"time"

	"github.com/IBM/sarama"
)

// Config is where Kafka is. With no Brokers an embedded one is started.
type Config struct {
	Brokers  Addresses `yaml:"brokers"`
	Embedded Embedded  `yaml:"embedded"`
	// Compression of health logs and dead letters: none, gzip, lz4, snappy or
	// zstd. What is written stays readable whatever it is changed to.
	Compression string `yaml:"compression"`
	// Secret signs our records; instances that share a Kafka share it.
	// Empty: a file in the data directory, generated at the first start, mode 0600.
	Secret     string `yaml:"secret"`
	SecretFile string `yaml:"secret_file"` // a file with the secret, instead
	TLS        TLS    `yaml:"tls"`         // of the brokers
	SASL       SASL   `yaml:"sasl"`        // the login there
}

// Embedded is the broker inside the process.
type Embedded struct {
	Listen    string        `yaml:"listen"` // loopback only
	Data      string        `yaml:"data"`   // directory; relative to the working directory
	Retention time.Duration `yaml:"retention"`
	MaxSize   Size          `yaml:"max_size"` // of system-logs, in bytes; at least one segment more is used
	Sync      bool          `yaml:"sync"`     // fsync every write: survives a power cut, and costs
}

// Default is the configuration before anything is configured. Its compression
// is gzip because every Kafka client reads that with nothing else installed;
// zstd costs less CPU, and kafka-python needs another package for it.
func Default() Config {
	return Config{Compression: "gzip", Embedded: Embedded{Listen: "127.0.0.1:9092", Data: "./data", Retention: 24 * time.Hour, MaxSize: 256 << 20}}
}

// codecs are the compressions that Kafka knows.
var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}
