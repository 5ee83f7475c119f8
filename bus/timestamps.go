package bus

import (
	"encoding/binary"
	"hash/crc32"
)

// Offsets in a record batch of format 2, from Kafka's protocol guide. The
// checksum covers everything from the attributes on.
const (
	atMagic          = 16
	atCRC            = 17
	atAttributes     = 21
	atFirstTimestamp = 27
	atMaxTimestamp   = 35
	batchHead        = 61

	attrLogAppendTime = 0x08
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// setBrokerTime gives a batch the broker's time, in milliseconds, in place: its newest
// record is from now, and the others keep their distance to it up to an hour.
// The embedded broker keeps whatever time a client claims, and trims by time
// everything before a batch that is too old: one record dated 1970 would empty
// its topic. A batch that is not whole is left for the broker to refuse.
func setBrokerTime(batch []byte, now int64) {
	if len(batch) < batchHead || batch[atMagic] != 2 ||
		binary.BigEndian.Uint32(batch[atCRC:]) != crc32.Checksum(batch[atAttributes:], castagnoli) {
		return
	}
	first := int64(binary.BigEndian.Uint64(batch[atFirstTimestamp:]))
	newest := int64(binary.BigEndian.Uint64(batch[atMaxTimestamp:]))
	const hour = int64(3600_000)
	span := newest - first
	if first < 0 || newest < first || span > hour {
		span = 0
	}
	// The broker would change the times itself on this attribute, and leave a
	// wrong checksum behind.
	attributes := binary.BigEndian.Uint16(batch[atAttributes:]) &^ attrLogAppendTime
	binary.BigEndian.PutUint16(batch[atAttributes:], attributes)
	binary.BigEndian.PutUint64(batch[atFirstTimestamp:], uint64(now-span))
	binary.BigEndian.PutUint64(batch[atMaxTimestamp:], uint64(now))
	binary.BigEndian.PutUint32(batch[atCRC:], crc32.Checksum(batch[atAttributes:], castagnoli))
}
