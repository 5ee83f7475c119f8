//go:build e2e

package bus

import (
	"testing"

	apache "logstream/e2e/kafka"
)

// TestOnApacheKafka runs what we rely on against a real Kafka.
func TestOnApacheKafka(t *testing.T) {
	p := newProxy(t)
	k := apache.Start(t, p.Addr().String())
	p.lead(k.Proxied())
	conform(t, underTest{proxy: p, stop: k.Kill, back: k.Run})
}
