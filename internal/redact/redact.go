// Package redact hides what looks like a secret in text that others wrote,
// before it is logged, shown or sent on. It is a net with wide meshes, not a
// guarantee: what doesn't look like a secret passes.
package redact

import (
	"regexp"
	"strings"
)

// Mask stands where a secret was.
const Mask = "***"

// rule is one shape of a secret. replace may have the parts of the match that stay.
type rule struct {
	// needs are parts of which one is in every text that the rule matches, in
	// lower case: most lines are passed by without trying the expression.
	needs   []string
	match   *regexp.Regexp
	replace string
	not     *regexp.Regexp // of what matches, this stays; nil: nothing
}

func (r rule) apply(text string) string {
	if r.not == nil {
		return r.match.ReplaceAllString(text, r.replace)
	}
	return r.match.ReplaceAllStringFunc(text, func(found string) string {
		if r.not.MatchString(found) {
			return found
		}
		return r.match.ReplaceAllString(found, r.replace)
	})
}

var rules = []rule{
	{ // a private key, as far as the text goes
		[]string{"private key"},
		regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`), Mask, nil},
	{ // user:password@ in an address. What stands before a slash and is a number is a port
		[]string{"://"},
		regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/?#:@\[]*):(?:[^\s/?#"]+|[0-9]*[^\s/?#0-9"][^\s"'<>]*)@`), "${1}:" + Mask + "@", nil},
	{ // a token that stands there alone
		[]string{"://"},
		regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[A-Za-z0-9_.~-]{16,}@`), "${1}" + Mask + "@", nil},
	{ // user:password@ without a scheme, and not an image's tag and digest
		[]string{"@"},
		regexp.MustCompile(`(\b[\w.%+-]*[a-zA-Z][\w.%+-]*:)[^\s:@/"'<>(){}\[\]]{3,}@(sha\d+:|[a-zA-Z0-9\[])`), "${1}" + Mask + "@${2}", regexp.MustCompile(`@sha\d+:$`)},
	{ // Authorization: Basic …, or of another scheme
		[]string{"authorization"},
		regexp.MustCompile(`(?i)(authorization` + is + `)(?:(?:bearer|basic|token|digest|negotiate|ntlm|apikey|api-key|key|jwt|oauth|hawk|splunk|aws4-hmac-sha256)\s+)?` + bare), "${1}" + Mask, nil},
	{ // Cookie: a=b; c=d
		[]string{"cookie"},
		regexp.MustCompile(`(?i)(cookie\s*[=:]\s*)[^\s"',;=]+=[^\s"',;]*(?:;\s*[^\s"',;=]+(?:=[^\s"',;]*)?)*`), "${1}" + Mask, nil},
	{ // … bearer …, basic …
		[]string{"bearer", "basic"},
		regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9+/_.~=-]{8,}`), "${1} " + Mask, nil},
	{ // a quoted value of a secret-like key: "api_key": "…", PASSWORD='…'; the quotes may be escaped
		secretLike,
		regexp.MustCompile(`(?i)((?:` + keys + `|\bpass\b)` + is + `)` + quotedValue), "${1}" + Mask, nil},
	{ // an unquoted one: password=…, DB_PASSWORD: …
		secretLike,
		regexp.MustCompile(`(?i)((?:` + keys + `)` + is + `)` + bare), "${1}" + Mask, nil},
	{ // the same of short names, which stand alone or at the end: pw=…, DB_PW: …
		secretLike,
		regexp.MustCompile(`(?i)((?:` + short + `)\\*["']?\s*[=:]+>?\s*)(?:` + quotedValue + `|` + bare + `)`), "${1}" + Mask, nil},
	{ // what is a secret in the query of an address: ?sig=…&pass=…
		[]string{"?", "&", `\u0026`},
		regexp.MustCompile(`(?i)((?:[?&]|\\u0026|&amp;)(?:pass|auth|sig|signature|pin|otp|jwt|sid|session|session_?id|jsessionid|phpsessid)=)` + bare), "${1}" + Mask, nil},
	{ // and a key there that is none of a table
		[]string{"key="},
		regexp.MustCompile(`(?i)((?:[?&]|\\u0026|&amp;)key=)[a-z0-9_~.-]{16,}`), "${1}" + Mask, nil},
	{ // --password …
		secretLike,
		regexp.MustCompile(`(?i)((?:^|[^a-z0-9_-])--?[a-z0-9_-]*(?:` + keys + `)[a-z0-9_-]*\s+)([^\s-]\S*)`), "${1}" + Mask, nil},
	{ // a JSON web token
		[]string{"eyj"},
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), Mask, nil},
	{ // keys that are recognised by how they begin
		[]string{"akia", "asia", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "xox", "sk-", "sk_live", "rk_live", "aiza", "npm_", "hf_"},
		regexp.MustCompile(`\b(?:A[KS]IA[0-9A-Z]{16}|gh[porsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{20,}|[rs]k_live_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{35}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,})`), Mask, nil},
}

// Parts of the rules: the names of secrets, what stands between a name and its
// value, and the value.
const (
	keys = `passw(?:or)?d|passphrase|[a-z0-9][_-]pass\b|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|` +
		`(?:account|encryption|signing|master|shared)[_-]?key|credential|authorization|cookie|amz-signature`
	short       = `\b(?:pw|psw|pswd|passcode)|[a-z0-9][_-]pw`
	is          = `[a-z0-9_.-]*\\*["']?\s*[=:]+>?\s*`
	bare        = `[^\s"',;&)}\]]+`
	quotedValue = `(?:\\+"[^"]*(?:"|$)|"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$))`
)

var secretLike = []string{"pass", "pw", "psw", "secret", "token", "key", "credential", "authorization", "cookie", "amz-signature"}

// Text is text with what looks like a secret masked.
func Text(text string) string {
	lower := strings.ToLower(text)
	for _, r := range rules {
		for _, part := range r.needs {
			if strings.Contains(lower, part) {
				text = r.apply(text)
				break
			}
		}
	}
	return text
}
