package bus

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Addresses is a list of host:port. In YAML it is a list, or one string with
// commas; an empty string is none.
type Addresses []string

// ParseAddresses reads "host:port,host:port"; an empty string is none.
func ParseAddresses(s string) (Addresses, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var all Addresses
	for part := range strings.SplitSeq(s, ",") {
		address, err := parseAddress(part)
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}

func parseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", errors.New("an address is empty; each is host:port, such as localhost:9092")
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || strings.ContainsAny(host, " \t\r\n/@,") {
		return "", fmt.Errorf("%q is not host:port, such as localhost:9092", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q has the port %q, which is not between 1 and 65535", s, port)
	}
	return net.JoinHostPort(host, port), nil
}

func (a Addresses) String() string { return strings.Join(a, ",") }

// UnmarshalYAML reads a list, or one string.
func (a *Addresses) UnmarshalYAML(node *yaml.Node) error {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			*a = nil
			return nil
		}
		all, err := ParseAddresses(node.Value)
		*a = all
		return err
	case yaml.SequenceNode:
		all := make(Addresses, 0, len(node.Content))
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return errors.New("is a list whose items must be host:port, such as localhost:9092")
			}
			address, err := parseAddress(item.Value)
			if err != nil {
				return err
			}
			all = append(all, address)
		}
		*a = all
		return nil
	}
	return errors.New("must be a list of host:port, or host:port,host:port")
}

// Size is a number of bytes, written as 256MiB.
type Size int64

var units = []struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// ParseSize reads a Size: digits and one of B, KiB, MiB, GiB, TiB.
func ParseSize(s string) (Size, error) {
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

// UnmarshalYAML reads 256MiB.
func (s *Size) UnmarshalYAML(node *yaml.Node) error {
	size, err := ParseSize(node.Value)
	*s = size
	return err
}
