package bus

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"logstream/internal/size"
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
type Size = size.Size
