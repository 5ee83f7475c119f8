package importer

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
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
	if err := cmp.Or(yaml.Unmarshal(content, &file), yaml.Unmarshal(content, &root)); err != nil {
		return nil, fmt.Errorf("read %s as a configuration of Gatus: %w", from, err)
	}
	if len(file.Endpoints)+len(file.External) == 0 {
		return nil, fmt.Errorf("read %s as a configuration of Gatus: it has no endpoints", from)
	}
	r := &Result{from: from, usual: usual{time.Minute, 10 * time.Second, 3, 2}}
	for _, key := range others(root.Rest, gatusTaken) {
		r.general = append(r.general, "no equivalent: "+text.Short(key))
	}
	root.Endpoints = slices.DeleteFunc(root.Endpoints, func(e map[string]any) bool { return e == nil }) // file has none for it
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
		e.off = "it is disabled in Gatus"
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
		e.note("Gatus sets no heartbeat; in LogStream it is DOWN when it does not report within its interval")
	}
	e.note("send its reports to LogStream: POST /api/v1/health-logs")
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
	return variables(g.URL), "LogStream has no check for " + text.Short(scheme) + "://"
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
