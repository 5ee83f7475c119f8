package event

import "testing"

func BenchmarkHealthLog(b *testing.B) {
	h := HealthLog{
		Timestamp: 1772366400.123456, Service: "payment-service", Status: Up, Code: 200, LatencyMS: 1.234, Check: "http", Revision: 123456,
		Origin: Origin{Instance: "build-host-7f3a", Host: "local", Epoch: 3, Nonce: "0011223344556677"},
	}
	value := Encode(h)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Encode(h)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeHealthLog(value); err != nil {
				b.Fatal(err)
			}
		}
	})
}
