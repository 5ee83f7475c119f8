package service

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// plainHeaders have values that are no secrets, and are often part of an answer.
var plainHeaders = []string{"accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-type", "host", "origin", "user-agent"}

// Secrets are the values of d that only the service may read, in each form
// in which it may repeat them: who logs in with what, values of the query, the
// token, headers and the body. One so short that it would hide ordinary words is
// not among them. The longest come first, since one may begin as another.
func (d Definition) Secrets() []string {
	var secrets []string
	hide := func(secret string, atLeast int) {
		if len(secret) >= atLeast {
			secrets = append(secrets, secret)
		}
	}
	if u, err := url.Parse(d.URL); err == nil {
		if password, has := u.User.Password(); has {
			hide(base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)), 1)
			hide(password, 3)
		} else {
			hide(u.User.Username(), 8) // a token often stands there alone
		}
		for name, values := range u.Query() {
			for _, value := range values {
				if slices.Contains(plainKeys[u.Scheme], name) {
					continue
				}
				hide(value, 8)
				hide(url.QueryEscape(value), 8)
			}
		}
	}
	hide(d.Request.Bearer, 3)
	hide(d.Request.Body, 8)
	for name, value := range d.Request.Headers {
		if !slices.Contains(plainHeaders, strings.ToLower(name)) {
			hide(value, 6)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(secrets)
}
