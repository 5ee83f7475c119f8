package service

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// StatusRange is a set of HTTP status codes: 200-399, or 200-299,304.
type StatusRange [][2]int

// ParseStatusRange reads a StatusRange.
func ParseStatusRange(s string) (StatusRange, error) {
	var set StatusRange
	for part := range strings.SplitSeq(s, ",") {
		low, high, is := strings.Cut(strings.TrimSpace(part), "-")
		if !is {
			high = low
		}
		from, err1 := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
		to, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
		if err1 != nil || err2 != nil || from < 100 || to > 599 || from > to {
			return nil, fmt.Errorf("%q is not a range of HTTP status codes such as 200-399 or 200,204", s)
		}
		set = append(set, [2]int{int(from), int(to)})
	}
	return set, nil
}

// Contains says whether code is in the set.
func (r StatusRange) Contains(code int) bool {
	for _, pair := range r {
		if pair[0] <= code && code <= pair[1] {
			return true
		}
	}
	return false
}

func (r StatusRange) String() string {
	parts := make([]string, len(r))
	for i, pair := range r {
		parts[i] = strconv.Itoa(pair[0])
		if pair[0] != pair[1] {
			parts[i] += "-" + strconv.Itoa(pair[1])
		}
	}
	return strings.Join(parts, ",")
}

// UnmarshalYAML reads 200-399 as well as a plain 200.
func (r *StatusRange) UnmarshalYAML(node *yaml.Node) error {
	set, err := ParseStatusRange(node.Value)
	if err != nil {
		return err
	}
	*r = set
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (r StatusRange) MarshalYAML() (any, error) { return r.String(), nil }
