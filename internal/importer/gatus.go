package importer

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"logstream/internal/text"
)

// gatusFile is what is read of a configuration of Gatus 5, as its README
// documents it.
type gatusFile struct {
	Endpoints []gatusEndpoint `yaml:"endpoints"`
	External  []gatusEndpoint `yaml:"external-endpoints"`
}

type gatusEndpoint struct {
	Name       string            `yaml:"name"`
	Group      string            `yaml:"group"`
	Enabled    *bool             `yaml:"enabled"`
	URL        string            `yaml:"url"`
	Method     string            `yaml:"method"`
	Body       string            `yaml:"body"`
	GraphQL    bool              `yaml:"graphql"`
	Headers    map[string]string `yaml:"headers"`
	Interval   time.Duration     `yaml:"interval"`
	Conditions []string          `yaml:"conditions"`
	Alerts     []struct {
		Failures  int `yaml:"failure-threshold"`
		Successes int `yaml:"success-threshold"`
	} `yaml:"alerts"`
	DNS *struct {
		Type string `yaml:"query-type"`
		Name string `yaml:"query-name"`
	} `yaml:"dns"`
	Client struct {
		Insecure       bool          `yaml:"insecure"`
		IgnoreRedirect bool          `yaml:"ignore-redirect"`
		Timeout        time.Duration `yaml:"timeout"`
		TLS            struct {
			Cert string `yaml:"certificate-file"`
			Key  string `yaml:"private-key-file"`
		} `yaml:"tls"`
	} `yaml:"client"`
	Heartbeat struct {
		Interval time.Duration `yaml:"interval"`
	} `yaml:"heartbeat"`
}

// What of a Gatus file, of an endpoint and of its client is taken over, or
// needs no word: the rest is named.
var (
	gatusTaken    = []string{"endpoints", "external-endpoints", "debug", "metrics", "web", "ui", "storage", "skip-invalid-config-update", "disable-monitoring-lock", "concurrency"}
	endpointTaken = []string{"name", "group", "enabled", "url", "method", "body", "graphql", "headers", "interval", "conditions", "alerts", "dns", "client", "ui", "heartbeat"}
	clientTaken   = []string{"insecure", "ignore-redirect", "timeout", "tls"}
)

// Gatus reads the content of a configuration of Gatus 5. An error says why it
// is none.
func Gatus(from string, content []byte) (*Result, error) {
	var file gatusFile
	var root struct {
		Endpoints []map[string]any `yaml:"endpoints"`
		External  []map[string]any `yaml:"external-endpoints"`
		Rest      map[string]any   `yaml:",inline"`
	}
	if err := errors.Join(yaml.Unmarshal(content, &file), yaml.Unmarshal(content, &root)); err != nil {
		return nil, fmt.Errorf("read %s as a configuration of Gatus: %w", from, err)
	}
	if len(file.Endpoints)+len(file.External) == 0 {
		return nil, fmt.Errorf("read %s as a configuration of Gatus: it has no endpoints", from)
	}
	r := &Result{from: from, usual: usual{time.Minute, 10 * time.Second, 3, 2}}
	for _, key := range others(root.Rest, gatusTaken) {
		r.general = append(r.general, "no equivalent: "+text.Short(key))
	}
	for i, g := range file.Endpoints {
		e := r.endpoint(g)
		for _, key := range others(root.Endpoints[i], endpointTaken) {
			e.lost("%s", key)
		}
		if client, is := root.Endpoints[i]["client"].(map[string]any); is {
			for _, key := range others(client, clientTaken) {
				e.lost("client.%s", key)
			}
		}
	}
	for _, g := range file.External {
		r.external(g)
	}
	return r, nil
}

// others are the keys that are not among known, in order.
func others(all map[string]any, known []string) []string {
	var keys []string
	for key := range all {
		if !slices.Contains(known, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (r *Result) begin(g gatusEndpoint, address string) *entry {
	e := r.add(g.Name, g.Group)
	if address != "" {
		e.set("url", address)
	}
	if g.Enabled != nil && !*g.Enabled && e.off == "" {
		e.off = "it is not enabled there"
	}
	failures, successes := 0, 0
	if len(g.Alerts) > 0 {
		failures, successes = g.Alerts[0].Failures, g.Alerts[0].Successes
	}
	e.times(cmp.Or(g.Interval, g.Heartbeat.Interval), g.Client.Timeout, failures, successes)
	return e
}

// endpoint adds one that Gatus checks.
func (r *Result) endpoint(g gatusEndpoint) *entry {
	address, unknown := gatusURL(g)
	e := r.begin(g, address)
	if unknown != "" && e.off == "" {
		e.off = unknown
	}
	web := strings.HasPrefix(address, "http")
	var request, tls, expect section
	if g.Method != "" && g.Method != "GET" {
		request.set("method", variables(g.Method))
	}
	if len(g.Headers) > 0 {
		request.set("headers", valuesOf(g.Headers))
	}
	if body := variables(g.Body); body != "" && !g.GraphQL {
		request.set("body", body)
	} else if g.GraphQL {
		e.lost("graphql; write the query as a JSON request body, with the header Content-Type: application/json")
	}
	if web && !g.Client.IgnoreRedirect {
		request.set("redirects", true)
	}
	if g.Client.TLS.Cert != "" {
		tls.set("cert", variables(g.Client.TLS.Cert))
		tls.set("key", variables(g.Client.TLS.Key))
	}
	if g.Client.Insecure {
		tls.set("insecure", true)
	}
	e.expect(&expect, g.Conditions, web)
	e.put("request", &request)
	e.put("tls", &tls)
	e.put("expect", &expect)
	return e
}

// external adds one that reports by itself.
func (r *Result) external(g gatusEndpoint) {
	e := r.begin(g, "push://")
	if g.Heartbeat.Interval == 0 {
		e.note("there is no heartbeat there; here a service that reports nothing for its interval is DOWN")
	}
	e.note("it has to report elsewhere: POST /api/v1/health-logs")
}

// gatusSchemes are the schemes that mean the same in both.
var gatusSchemes = []string{"http", "https", "tcp", "tls", "icmp", "ws", "wss", "grpc", "grpcs"}

// gatusURL is an endpoint's url as ours; where there is none, why.
func gatusURL(g gatusEndpoint) (address, unknown string) {
	if g.DNS != nil {
		server := strings.TrimPrefix(variables(g.URL), "dns://")
		u := url.URL{Scheme: "dns", Host: server, Path: "/" + strings.TrimSuffix(g.DNS.Name, "."), RawQuery: "type=" + url.QueryEscape(cmp.Or(g.DNS.Type, "A"))}
		if _, port, err := net.SplitHostPort(server); err == nil && port == "53" {
			u.Host = strings.TrimSuffix(server, ":53")
		}
		return strings.ReplaceAll(u.String(), "%7B", "{"), ""
	}
	scheme, _, is := strings.Cut(g.URL, "://")
	switch {
	case !is:
		return variables(g.URL), "its url has no scheme"
	case slices.Contains(gatusSchemes, strings.ToLower(scheme)), strings.HasPrefix(scheme, "${"):
		return variables(g.URL), ""
	case scheme == "starttls":
		return variables(g.URL), "STARTTLS is not checked; tls:// checks a port that speaks TLS from the start"
	}
	return variables(g.URL), "there is no check " + text.Short(scheme) + "://"
}

// envName is a variable without braces, as os.ExpandEnv takes it.
var envName = regexp.MustCompile(`\$\$|\$([A-Za-z_][A-Za-z0-9_]*)`)

// variables turns Gatus's variables into ours: both have ${NAME} and $$.
func variables(s string) string {
	return envName.ReplaceAllStringFunc(s, func(found string) string {
		if found == "$$" {
			return found
		}
		return "${" + found[1:] + "}"
	})
}

func valuesOf(headers map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range headers {
		all[name] = variables(value)
	}
	return all
}

// condition is one of Gatus's: what is looked at, how, and the value.
var condition = regexp.MustCompile(`^\s*(?:\[([A-Z_]+)\](\S*)|(\S.*?))\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*$`)

// expect turns the conditions into expectations, and notes those that have none.
func (e *entry) expect(to *section, conditions []string, web bool) {
	status, judged := every(100, 599), false
	values := map[string]string{}
	for _, c := range conditions {
		parts := condition.FindStringSubmatch(c)
		if parts == nil || parts[3] != "" {
			e.lost("the condition %s", c)
			continue
		}
		what, at, how, value := parts[1], parts[2], parts[4], parts[5]
		ok := false
		switch what {
		case "STATUS":
			ok = keep(status, how, value)
			judged = judged || ok
		case "CONNECTED":
			ok = how == "==" && value == "true" // it is what every check is about
		case "DNS_RCODE":
			ok = how == "==" && value == "NOERROR" // so is this
		case "RESPONSE_TIME":
			if ms, err := strconv.Atoi(value); err == nil && ms > 0 && (how == "<" || how == "<=") {
				to.set("latency", time.Duration(ms)*time.Millisecond)
				e.note("slower than %d ms is DEGRADED here, and not DOWN", ms)
				ok = true
			}
		case "CERTIFICATE_EXPIRATION":
			if d, err := time.ParseDuration(value); err == nil && (how == ">" || how == ">=") {
				const day = 24 * time.Hour
				to.set("certificate_days", min(int((d+day-1)/day), 365))
				e.note("a certificate that ends within %s is DEGRADED here, and not DOWN", value)
				ok = true
			}
		case "BODY":
			ok = e.body(to, values, at, how, value)
		}
		if !ok {
			e.lost("the condition %s", c)
		}
	}
	if web && !judged {
		to.set("status", "100-599") // as there, any answer is good
	} else if judged {
		to.set("status", ranges(status))
	}
	if len(values) > 0 {
		to.set("json", values)
	}
}

// body turns a condition on the body into an expectation.
func (e *entry) body(to *section, values map[string]string, at, how, value string) bool {
	pattern, isPattern := strings.CutPrefix(value, "pat(")
	switch {
	case how != "==", strings.Contains(value, "any("), strings.Contains(value, "["):
		return false
	case at == "" && isPattern:
		to.set("body", literal(globs(strings.TrimSuffix(pattern, ")"))))
	case at == "":
		to.set("body", literal("^"+regexp.QuoteMeta(value)+"$"))
	case isPattern, strings.HasPrefix(at, ".") && strings.Contains(at, "("):
		return false
	default:
		values[jsonPath(at)] = variables(value)
	}
	return true
}

// index is an element of a list in a path.
var index = regexp.MustCompile(`\[(\d+)\]`)

// jsonPath is .data[0].id as data.0.id.
func jsonPath(at string) string {
	return strings.TrimPrefix(index.ReplaceAllString(at, ".$1"), ".")
}

// globs is a pattern with * and ? as a regular expression.
func globs(pattern string) string {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.NewReplacer(`\*`, "(?s:.*)", `\?`, "(?s:.)").Replace(expression)
	return "^" + expression + "$"
}

// every is the set of the codes from one to another.
func every(from, to int) map[int]bool {
	set := map[int]bool{}
	for code := from; code <= to; code++ {
		set[code] = true
	}
	return set
}

// keep takes out of a set what does not satisfy a condition on it; false: it is
// none that can be understood.
func keep(set map[int]bool, how, value string) bool {
	var wanted []int
	list, isAny := strings.CutPrefix(value, "any(")
	for _, one := range strings.Split(strings.TrimSuffix(list, ")"), ",") {
		code, err := strconv.Atoi(strings.TrimSpace(one))
		if err != nil {
			return false
		}
		wanted = append(wanted, code)
	}
	if isAny && how != "==" && how != "!=" {
		return false
	}
	for code := range set {
		if !satisfies(code, how, wanted) {
			delete(set, code)
		}
	}
	return true
}

func satisfies(code int, how string, wanted []int) bool {
	switch how {
	case "==":
		return slices.Contains(wanted, code)
	case "!=":
		return !slices.Contains(wanted, code)
	case "<":
		return code < wanted[0]
	case "<=":
		return code <= wanted[0]
	case ">":
		return code > wanted[0]
	}
	return code >= wanted[0]
}

// ranges is a set of codes as 200-299,304; empty where it is.
func ranges(set map[int]bool) string {
	var parts []string
	for code := 100; code <= 599; code++ {
		if !set[code] {
			continue
		}
		last := code
		for set[last+1] {
			last++
		}
		part := strconv.Itoa(code)
		if last > code {
			part += "-" + strconv.Itoa(last)
		}
		parts, code = append(parts, part), last
	}
	return strings.Join(parts, ",")
}
