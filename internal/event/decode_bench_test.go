package event

import "testing"

func BenchmarkDecode(b *testing.B) {
	health := Encode(HealthLog{Timestamp: 1772366400.123456, Service: "payment-service", Status: Up, Code: 200, LatencyMS: 12.512, Check: "http", Revision: 41231, Origin: origin})
	rollup := Encode(Rollup{Service: "payment-service", Start: when.Truncate(3600e9), UpS: 3600, Checks: 1800, Revision: 44, Origin: origin,
		Latency: &Latency{Min: 0.812, P50: 12.3, P95: 88.1, Max: 90, Hist: Histogram{20, 1, 21, 7, 23, 9, 24, 2, 28, 20, 29, 4, 30, 3, 51, 2}}})
	b.Run("health log", func(b *testing.B) {
		for b.Loop() {
			if _, err := DecodeHealthLog(health); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("rollup", func(b *testing.B) {
		for b.Loop() {
			if _, err := DecodeRollup(rollup); err != nil {
				b.Fatal(err)
			}
		}
	})
	secret := []byte("secretsecretsecret")
	signature := Sign(secret, TopicHealth, []byte("payment-service"), health)
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if !Verify(secret, TopicHealth, []byte("payment-service"), health, signature) {
				b.Fatal("not ours")
			}
		}
	})
}
