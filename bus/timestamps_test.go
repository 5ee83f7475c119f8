package bus

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

func batchAt(first, newest int64, attributes int16) []byte {
	raw := poison(1, attributes, []byte("records"))
	binary.BigEndian.PutUint64(raw[atFirstTimestamp:], uint64(first))
	binary.BigEndian.PutUint64(raw[atMaxTimestamp:], uint64(newest))
	binary.BigEndian.PutUint32(raw[atCRC:], crc32.Checksum(raw[atAttributes:], castagnoli))
	return raw
}

func intact(batch []byte) bool {
	return binary.BigEndian.Uint32(batch[atCRC:]) == crc32.Checksum(batch[atAttributes:], castagnoli)
}

func TestBatchesGetTheBrokersTime(t *testing.T) {
	const now, minute, year = 1_800_000_000_000, 60_000, 365 * 86_400_000
	for _, c := range []struct {
		name          string
		first, newest int64
		wantFirst     int64
	}{
		{"one record from 1970", 1000, 1000, now},
		{"no time at all", -1, -1, now},
		{"from the future", now + year, now + year, now},
		{"a minute of records", now - 2*minute, now - minute, now - minute},
		{"years apart", now - year, now, now},
		{"backwards", now, now - minute, now},
	} {
		batch := batchAt(c.first, c.newest, 0)
		setBrokerTime(batch, now)
		first := int64(binary.BigEndian.Uint64(batch[atFirstTimestamp:]))
		newest := int64(binary.BigEndian.Uint64(batch[atMaxTimestamp:]))
		if first != c.wantFirst || newest != now || !intact(batch) {
			t.Errorf("%s: %d to %d (intact %v), want %d to %d", c.name, first, newest, intact(batch), c.wantFirst, int64(now))
		}
	}
	// The attribute that has the broker rewrite the times goes, the codec stays.
	batch := batchAt(1, 1, 4|attrLogAppendTime)
	if setBrokerTime(batch, now); binary.BigEndian.Uint16(batch[atAttributes:]) != 4 || !intact(batch) {
		t.Errorf("attributes %#x", binary.BigEndian.Uint16(batch[atAttributes:]))
	}
}

func FuzzSetBrokerTime(f *testing.F) {
	f.Add(batchAt(1, 2, 0), int64(3))
	f.Add([]byte("short"), int64(3))
	f.Add(bytes.Repeat([]byte{2}, 200), int64(3))
	f.Fuzz(func(t *testing.T, batch []byte, now int64) {
		before := bytes.Clone(batch)
		setBrokerTime(batch, now)
		if bytes.Equal(before, batch) {
			return // refused, or nothing to do
		}
		if !intact(before) || !intact(batch) || int64(binary.BigEndian.Uint64(batch[atMaxTimestamp:])) != now {
			t.Fatalf("%x became %x", before, batch)
		}
	})
}
