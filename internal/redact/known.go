package redact

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// shortest is how many bytes a value has at least that is masked wherever it
// stands: a shorter one would hide ordinary words.
const shortest = 6

// Known is text with each of the secrets masked wherever it stands, whatever it
// looks like.
func Known(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, Mask)
		}
	}
	return text
}

// byName are names of variables whose values are secrets.
var byName = regexp.MustCompile(`(?i)(?:` + keys + `|(?:^|[_-])(?:pass|pw|psw|pswd|passcode)$|^pass(?:[_-]|$))`)

// byPath are names of variables whose values are where a secret is.
var byPath = regexp.MustCompile(`(?i)[_-](?:file|path|url|uri)$`)

// OfEnvironment are the secrets of an environment, each variable of it
// NAME=value: what secret-like names have, and the passwords in addresses. The
// longest come first, since one may begin as another.
func OfEnvironment(environment []string) []string {
	var all []string
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if byName.MatchString(name) && !byPath.MatchString(name) {
			all = append(all, value)
		}
		all = append(all, inAddress(value))
	}
	return tidy(all)
}

// OfArguments are the secrets of a command line, its program first: the values of
// secret-like flags, and the passwords in addresses.
func OfArguments(arguments []string) []string {
	var all []string
	isFlag := func(word string) bool { return strings.HasPrefix(word, "-") && byName.MatchString(word) }
	for i, word := range arguments {
		name, value, joined := strings.Cut(word, "=")
		switch {
		case joined && byName.MatchString(name):
			all = append(all, value)
		case i > 0 && isFlag(arguments[i-1]) && !strings.HasPrefix(word, "-") && !strings.Contains(arguments[i-1], "="):
			all = append(all, word)
		}
		all = append(all, inAddress(word))
	}
	return tidy(all)
}

// inAddress is the password of a value that is an address, or nothing.
func inAddress(value string) string {
	if !strings.Contains(value, "://") {
		return ""
	}
	if u, err := url.Parse(value); err == nil {
		password, _ := u.User.Password()
		return password
	}
	_, rest, _ := strings.Cut(value, "://") // one with a character that should have been escaped
	_, rest, _ = strings.Cut(rest, ":")
	at := strings.LastIndex(rest, "@")
	return rest[:max(at, 0)]
}

// tidy drops what is too short to be masked anywhere, and sorts the longest first.
func tidy(secrets []string) []string {
	secrets = slices.DeleteFunc(secrets, func(s string) bool { return len(s) < shortest })
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	return slices.Compact(secrets)
}

var (
	keyBegins = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`)
	keyEnds   = regexp.MustCompile(`-----END [A-Z0-9 ]*PRIVATE KEY-----`)
	keyBody   = regexp.MustCompile(`[A-Za-z0-9+/]{16,}={0,2}\s*$`)
	keyLines  = 200 // lines that one has at most
)

// Keys masks the lines of a log that are of a private key which is printed over
// several: each of them alone does not look like a secret. A key may have begun
// before the first line, or end after the last.
func Keys(lines []string) {
	within := 0 // lines of the present key so far
	for i, line := range lines {
		begins, ends := keyBegins.FindStringIndex(line), keyEnds.FindStringIndex(line)
		switch {
		case begins != nil && (ends == nil || ends[0] < begins[0]):
			within = 1
			lines[i] = line[:begins[0]] + Mask
		case begins != nil:
		case ends != nil:
			if within == 0 {
				hideBefore(lines[:i])
			}
			within = 0
			lines[i] = Mask + line[ends[1]:]
		case within > keyLines:
			within = 0
		case within > 0:
			within++
			lines[i] = keyBody.ReplaceAllString(line, Mask)
		}
	}
}

// hideBefore masks the body of a key that ends behind the lines.
func hideBefore(lines []string) {
	for i := len(lines) - 1; i >= 0 && keyBody.MatchString(lines[i]); i-- {
		lines[i] = keyBody.ReplaceAllString(lines[i], Mask)
	}
}
