package check

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"logstream/internal/event"
	"logstream/internal/service"
)

// maxRedirects is how many redirections are followed.
const maxRedirects = 10

// httpProblems are what is wrong with a definition that is checked over HTTP.
func httpProblems(def service.Definition, u *url.URL) []service.Problem {
	problems := needsHost(def, u)
	add := func(key, value, message string) {
		problems = append(problems, service.Problem{Key: key, Value: value, Message: message})
	}
	if m := def.Request.Method; m != "" && !httpguts.ValidHeaderFieldName(m) {
		add("request.method", m, "is not a method of HTTP such as GET or POST")
	}
	if def.Request.Bearer != "" && u.User != nil {
		add("request.bearer", "", "is given beside a user in the url: a request carries only one of them")
	}
	for _, name := range slices.Sorted(maps.Keys(def.Request.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(def.Request.Headers[name]) {
			add("request.headers", "", fmt.Sprintf("%q: its name or its value has a character that a header cannot have", name))
		}
	}
	return problems
}

// firstRequest is what every check sends, but for its context and its body.
func (c *httpCheck) firstRequest() (*http.Request, error) {
	def := c.def.Request
	var body io.Reader
	if def.Body != "" {
		body = strings.NewReader(def.Body)
	}
	request, err := http.NewRequest(def.Method, c.def.URL, body)
	if err != nil {
		return nil, err
	}
	request.Header = headerOf(c.def, c.env)
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	// On a connection that the server had closed the request is made again,
	// whatever its method. The header itself is not sent.
	request.Header["Idempotency-Key"] = nil
	return request, nil
}

// headerOf is what a request to the service itself carries, its login included.
func headerOf(def service.Definition, env Env) http.Header {
	header := http.Header{"User-Agent": {env.agent()}, "Accept": {"*/*"}}
	for name, value := range def.Request.Headers {
		header.Set(name, value)
	}
	u, err := url.Parse(def.URL)
	switch {
	case def.Request.Bearer != "":
		header.Set("Authorization", "Bearer "+def.Request.Bearer)
	case err == nil && u.User != nil:
		password, _ := u.User.Password()
		(&http.Request{Header: header}).SetBasicAuth(u.User.Username(), password)
	}
	return header
}

// unexpectedStatus is of an answer whose status is not as expected. That it
// refuses a login is said only where the check has one.
func unexpectedStatus(def service.Definition, code int, expected string) error {
	u, err := url.Parse(def.URL)
	switch refused := code == http.StatusUnauthorized || code == http.StatusForbidden; {
	case refused && def.Request.Bearer != "":
		return failed(event.FailureAuth, "HTTP %d, expected %s: the token in request.bearer was refused", code, expected)
	case refused && err == nil && u.User != nil:
		return failed(event.FailureAuth, "HTTP %d, expected %s: the user and password in the url were refused", code, expected)
	}
	return failed(event.FailureStatus, "HTTP %d, expected %s", code, expected)
}

// send makes the request. Without redirections to follow the transport is
// enough.
func (c *httpCheck) send(request *http.Request) (*http.Response, error) {
	if !c.def.Request.Redirects {
		return c.transport.RoundTrip(request)
	}
	client := http.Client{Transport: c.transport, CheckRedirect: c.redirect}
	request.Header = maps.Clone(request.Header)
	return client.Do(request)
}

// redirect is called before each redirection. Beyond the service's own scheme,
// host and port go neither its credentials nor its headers nor its body: a
// redirection that wants the body again is then an answer like others.
func (c *httpCheck) redirect(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if len(before) > maxRedirects {
		return failed(event.FailureStatus, "more than %d redirections, the last to %s", maxRedirects, c.elsewhere(next.URL))
	}
	if next.URL.Scheme != "http" && next.URL.Scheme != "https" {
		return failed(event.FailureProtocol, "redirected to %s, which is not HTTP", c.elsewhere(next.URL))
	}
	beyond := func(u *url.URL) bool { return u.Scheme != first.Scheme || u.Host != first.Host }
	if !beyond(next.URL) && !slices.ContainsFunc(before, func(r *http.Request) bool { return beyond(r.URL) }) {
		return nil
	}
	if next.Body != nil && next.Body != http.NoBody {
		return http.ErrUseLastResponse
	}
	next.Header = http.Header{"User-Agent": {c.env.agent()}, "Accept": {"*/*"}}
	next.Host = ""
	return nil
}

// elsewhere is a url that an answer names, as part of a sentence.
func (t target) elsewhere(u *url.URL) string {
	if t.env.Discreet {
		return "an address not shown here"
	}
	return t.foreign(service.MaskURL(u.String()))
}
