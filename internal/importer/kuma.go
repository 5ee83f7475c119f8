package importer

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver, in pure Go

	"logstream/internal/text"
)

// UptimeKuma reads the database of Uptime Kuma 1 or 2 at path, which is not
// changed: not even a lock is left. An error says why it is none.
func UptimeKuma(path string) (*Result, error) {
	monitors, err := kumaMonitors(path)
	if err != nil {
		return nil, fmt.Errorf("read %s as the database of Uptime Kuma: %w", path, err)
	}
	r := &Result{from: path, usual: usual{time.Minute, 48 * time.Second, 1, 1}, general: []string{"not imported: notifications, status pages, tags, maintenance, users and the history"}}
	byID := map[int]row{}
	for _, m := range monitors {
		byID[m.number("id")] = m
	}
	for _, m := range monitors {
		if m.text("type") != "group" {
			r.monitor(m, groupOf(m, byID))
		}
	}
	return r, nil
}

// groupOf is the name of the groups that a monitor is in, from the outside in.
func groupOf(m row, all map[int]row) string {
	var names []string
	for depth := 0; depth < 10; depth++ {
		parent, is := all[m.number("parent")]
		if !is || m.number("parent") == 0 {
			break
		}
		names, m = append([]string{parent.text("name")}, names...), parent
	}
	return strings.Join(names, " / ")
}

// kumaKind makes the url of a monitor of a type, and notes what of it has no
// equivalent.
type kumaKind func(e *entry, m row) (address string)

var kumaKinds = map[string]kumaKind{
	"http":              webURL,
	"keyword":           webURL,
	"json-query":        webURL,
	"port":              func(_ *entry, m row) string { return hostURL("tcp", m) },
	"ping":              func(_ *entry, m row) string { return "icmp://" + bracketed(m.text("hostname")) },
	"dns":               dnsURL,
	"push":              pushURL,
	"docker":            dockerURL,
	"postgres":          databaseURL,
	"mysql":             databaseURL,
	"redis":             databaseURL,
	"grpc-keyword":      grpcURL,
	"websocket-upgrade": func(_ *entry, m row) string { return m.text("url") },
}

// monitor adds one that is no group.
func (r *Result) monitor(m row, group string) {
	e := r.add(m.text("name"), group)
	kind, known := kumaKinds[m.text("type")]
	switch {
	case e.off != "":
	case !known:
		e.off = "LogStream has no check of type " + text.Short(m.text("type"))
	case m.is("upside_down"):
		e.off = "LogStream has no equivalent of upside down mode"
	case !m.is("active"):
		e.off = "it is paused in Uptime Kuma"
	}
	if known {
		e.set("url", literal(kind(e, m)))
	}
	if about := text.Line(m.text("description")); about != "" {
		e.set("note", literal(about))
	}
	const second = time.Second
	e.times(time.Duration(m.number("interval"))*second, time.Duration(m.number("timeout"))*second, m.number("maxretries")+1, 1)
	if again := m.number("retry_interval"); m.number("maxretries") > 0 && again != 0 && again != m.number("interval") {
		e.note("Uptime Kuma retries every %d s; LogStream checks at the interval", again)
	}
	switch m.text("type") {
	case "http", "keyword", "json-query":
		e.web(m)
	}
	if m.text("database_query") != "" {
		e.lost("the query %s; the check runs SELECT 1", m.text("database_query"))
	}
}

func webURL(e *entry, m row) string {
	u, err := url.Parse(m.text("url"))
	if err != nil {
		return m.text("url") // what is wrong with it, is said later
	}
	switch method := m.text("auth_method"); {
	case method == "basic", method == "" && m.text("basic_auth_user") != "":
		u.User = url.UserPassword(m.text("basic_auth_user"), m.text("basic_auth_pass"))
	case method == "mtls":
		e.note("its client certificate is not imported: write it into files, and set tls.cert and tls.key")
	case method != "":
		e.lost("the login by %s", method)
	}
	if m.number("proxy_id") != 0 {
		e.lost("the proxy")
	}
	return u.String()
}

// web sets what is sent over HTTP and expected.
func (e *entry) web(m row) {
	var request, tls, expect section
	if method := m.text("method"); method != "" && method != "GET" {
		request.set("method", literal(method))
	}
	if written := m.text("headers"); strings.TrimSpace(written) != "" {
		var headers map[string]any
		if err := json.Unmarshal([]byte(written), &headers); err != nil {
			e.lost("its headers, which are not a JSON object")
		} else if len(headers) > 0 {
			request.set("headers", plain(headers))
		}
	}
	if body := m.text("body"); body != "" {
		request.set("body", literal(body))
	}
	if m.number("maxredirects") > 0 {
		request.set("redirects", true)
	}
	if m.is("ignore_tls") {
		tls.set("insecure", true)
	}
	var codes []string
	if err := json.Unmarshal([]byte(m.text("accepted_statuscodes_json")), &codes); err == nil && len(codes) > 0 {
		expect.set("status", strings.Join(codes, ","))
	}
	switch kind, word := m.text("type"), m.text("keyword"); {
	case kind == "keyword" && m.is("invert_keyword"):
		e.lost("the inverted keyword %q", word)
	case kind == "keyword":
		expect.set("body", literal(regexp.QuoteMeta(word)))
	case kind == "json-query":
		e.query(&expect, m)
	}
	if strings.HasPrefix(m.text("url"), "https") && m.is("expiry_notification") && !m.is("ignore_tls") {
		expect.set("certificate_days", 7)
	}
	e.put("request", &request)
	e.put("tls", &tls)
	e.put("expect", &expect)
}

func plain(headers map[string]any) map[string]string {
	all := map[string]string{}
	for name, value := range headers {
		all[name] = literal(fmt.Sprint(value))
	}
	return all
}

// jsonataPath is a query that is nothing but a path.
var jsonataPath = regexp.MustCompile(`^\$?\.?[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[\d+\])*$`)

// query turns a JSON query into an expectation.
func (e *entry) query(to *section, m row) {
	at, operator, value := m.text("json_path"), m.text("json_path_operator"), m.text("expected_value")
	switch {
	case !jsonataPath.MatchString(at):
		operator = "none"
	case operator == "" || operator == "==":
		value, operator = exactly(literal(value)), "=="
	case operator == "contains":
		value = "~" + literal(regexp.QuoteMeta(value))
	case slices.Contains([]string{"!=", ">", ">=", "<", "<="}, operator):
		value = operator + literal(value)
	default:
		operator = "none"
	}
	if operator == "none" {
		e.lost("the JSON query %s %s %s", at, m.text("json_path_operator"), m.text("expected_value"))
		return
	}
	to.set("json", map[string]string{jsonPath(strings.TrimPrefix(at, "$")): value})
}

// bracketed is a host as it stands in a url.
func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

func hostURL(scheme string, m row) string {
	return fmt.Sprintf("%s://%s:%d", scheme, bracketed(m.text("hostname")), m.number("port"))
}

func dnsURL(e *entry, m row) string {
	server, _, several := strings.Cut(m.text("dns_resolve_server"), ",")
	if several {
		e.lost("further resolvers: %s", m.text("dns_resolve_server"))
	}
	server = bracketed(strings.TrimSpace(server))
	if port := m.number("port"); port != 0 && port != 53 {
		server += fmt.Sprintf(":%d", port)
	}
	u := url.URL{Scheme: "dns", Host: server, Path: "/" + m.text("hostname"), RawQuery: "type=" + url.QueryEscape(m.text("dns_resolve_type"))}
	return u.String()
}

func pushURL(e *entry, _ row) string {
	e.note("send its reports to LogStream: POST /api/v1/health-logs")
	return "push://"
}

func dockerURL(e *entry, m row) string {
	if m.number("docker_host") > 1 {
		e.note("it runs on another Docker host (number %d in Uptime Kuma): run a LogStream there to monitor it", m.number("docker_host"))
	}
	return "docker://" + m.text("docker_container")
}

func databaseURL(_ *entry, m row) string { return m.text("database_connection_string") }

func grpcURL(e *entry, m row) string {
	scheme := "grpc"
	if m.is("grpc_enable_tls") {
		scheme = "grpcs"
	}
	e.note("no equivalent: the call of %s.%s with the answer %q; the check queries the gRPC health service", m.text("grpc_service_name"), m.text("grpc_method"), m.text("keyword"))
	return scheme + "://" + m.text("grpc_url") + "/"
}
