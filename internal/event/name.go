package event

import (
	"fmt"
	"strings"
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

// OperatorName is an operator, from Incident.By or Command.By, within a sentence.
// The dashboard and the API name no person.
func OperatorName(by string) string {
	switch name := strings.TrimPrefix(by, ByOperator); name {
	case "":
		return "an operator"
	case "dashboard":
		return "an operator on the dashboard"
	case "api":
		return "an operator through the API"
	case "phone-link":
		return "an operator through a phone link"
	default:
		return name
	}
}

// ProposerName is a program that proposed something, from Incident.By or
// Command.By, and whether one did.
func ProposerName(by string) (name string, is bool) { return strings.CutPrefix(by, ByProposer) }
