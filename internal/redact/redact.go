// Package redact hides what looks like a secret in text that others wrote,
// before it is logged, shown or sent on. It is a net with wide meshes, not a
// proof: what doesn't look like a secret passes.
package redact

import (
	"regexp"
	"strings"
)

// Mask stands where a secret was.
const Mask = "***"

type rule struct {
	// needs are parts of which one is in every text that the rule matches, in
	// lower case: most lines are passed by without trying the expression.
	needs   []string
	match   *regexp.Regexp
	replace string
}

var rules = []rule{
	{ // a private key, as far as the text goes
		[]string{"private key"},
		regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`), Mask},
	{ // user:password@ in an address
		[]string{"://"},
		regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/?#:@]*):[^\s/?#]+@`), "${1}:" + Mask + "@"},
	{ // Authorization: Bearer …, Proxy-Authorization: Basic …
		[]string{"authorization", "bearer", "basic"},
		regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9+/_.~=-]{8,}`), "${1} " + Mask},
	{ // a quoted value of a telling key: "api_key": "…", PASSWORD='…'
		telling,
		regexp.MustCompile(`(?i)((?:` + keys + `)[a-z0-9_.-]*["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`), "${1}" + Mask},
	{ // an unquoted one: password=…, DB_PASSWORD: …
		telling,
		regexp.MustCompile(`(?i)((?:` + keys + `)[a-z0-9_.-]*["']?\s*[=:]\s*)([^\s"',;&)}\]]+)`), "${1}" + Mask},
	{ // --password …
		telling,
		regexp.MustCompile(`(?i)((?:^|[^a-z0-9_-])--?[a-z0-9_-]*(?:` + keys + `)[a-z0-9_-]*\s+)([^\s-]\S*)`), "${1}" + Mask},
	{ // a JSON web token
		[]string{"eyj"},
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), Mask},
	{ // keys that are recognised by how they begin
		[]string{"akia", "asia", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xox", "sk-", "sk_live", "rk_live"},
		regexp.MustCompile(`\b(?:A[KS]IA[0-9A-Z]{16}|gh[pos]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{20,}|[rs]k_live_[A-Za-z0-9]{16,})`), Mask},
}

const keys = `passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization|cookie`

var telling = []string{"passw", "passphrase", "pwd", "secret", "token", "key", "credential", "authorization", "cookie"}

// Text is text with what looks like a secret masked.
func Text(text string) string {
	lower := strings.ToLower(text)
	for _, r := range rules {
		for _, part := range r.needs {
			if strings.Contains(lower, part) {
				text = r.match.ReplaceAllString(text, r.replace)
				break
			}
		}
	}
	return text
}
