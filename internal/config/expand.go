package config

import (
	"fmt"
	"regexp"
	"strings"
)

// substitution is ${NAME}, ${NAME:-default} or ${NAME:?message}.
var substitution = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)(.*))?$`)

const maxText = 4096 // bytes of one value, after substitution

// expand replaces ${NAME}, ${NAME:-default} and ${NAME:?message} by the
// environment, and $$ by one dollar. Any other dollar stands for itself. What
// comes in is not expanded again: a variable's content is one value, whatever
// it contains.
func expand(s string, lookup func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "$")
		b.WriteString(before)
		switch {
		case !found:
			if b.Len() > maxText {
				return "", fmt.Errorf("is longer than %d bytes", maxText)
			}
			return b.String(), nil
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			s = rest[1:]
		case strings.HasPrefix(rest, "{"):
			inner, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return "", fmt.Errorf("has a ${ without a }; for a plain dollar write $$")
			}
			value, err := substitute(inner, lookup)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			s = after
		default:
			b.WriteByte('$')
			s = rest
		}
	}
}

// substitute is the value for what stands between ${ and }.
func substitute(inner string, lookup func(string) (string, bool)) (string, error) {
	parts := substitution.FindStringSubmatch(inner)
	if parts == nil {
		return "", fmt.Errorf("has a ${…} that is not ${NAME}, ${NAME:-default} or ${NAME:?message}; for a plain dollar write $$")
	}
	name, operator, argument := parts[1], parts[2], parts[3]
	value, set := lookup(name)
	switch {
	case operator == ":-" && value == "":
		return argument, nil
	case operator == ":?" && value == "":
		if argument == "" {
			argument = "it is required"
		}
		return "", fmt.Errorf("needs the environment variable %s: %s", name, argument)
	case !set:
		return "", fmt.Errorf("needs the environment variable %s, which is not set; set it, or write ${%s:-} for an empty value", name, name)
	}
	return value, nil
}
