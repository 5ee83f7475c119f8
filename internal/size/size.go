// Package size is a number of bytes as a person writes it. It imports nothing of
// ours.
package size

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Size is a number of bytes, written as 256MiB.
type Size int64

var units = []struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// Parse reads a Size: digits and one of B, KiB, MiB, GiB, TiB.
func Parse(s string) (Size, error) {
	trimmed := strings.TrimSpace(s)
	digits := strings.TrimRight(trimmed, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ")
	unit := strings.TrimSpace(trimmed[len(digits):])
	for _, u := range units {
		if u.name != unit {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil {
			break
		}
		if n > uint64(math.MaxInt64/u.bytes) {
			return 0, fmt.Errorf("%q is too large", s)
		}
		return Size(int64(n) * u.bytes), nil
	}
	return 0, fmt.Errorf("%q is not a size such as 256MiB (a whole number and B, KiB, MiB, GiB or TiB)", s)
}

// String writes the largest unit that leaves a whole number.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// MarshalYAML writes what UnmarshalYAML reads.
func (s Size) MarshalYAML() (any, error) { return s.String(), nil }

// UnmarshalYAML reads 256MiB.
func (s *Size) UnmarshalYAML(node *yaml.Node) error {
	size, err := Parse(node.Value)
	*s = size
	return err
}
