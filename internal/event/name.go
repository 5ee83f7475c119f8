package event

import (
	"fmt"
	"unicode"
)

func printable(r rune) bool { return unicode.IsPrint(r) && r != unicode.ReplacementChar }

// CheckServiceName says why name cannot be the name of a configured service,
// or nil: 1 to 128 printable characters, and none of the reserved names.
func CheckServiceName(name string) error {
	if name == ReservedService || name == AllServices {
		return fmt.Errorf("%q is a reserved name", name)
	}
	return checkName(name)
}
