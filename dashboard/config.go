package dashboard

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"logstream/dashboard/access"
	"logstream/internal/nearest"
	"logstream/internal/service"
)

// Config is where the page is served, and who may enter.
type Config struct {
	Listen    string         `yaml:"listen"`     // beyond loopback only with a token, a user or a trusted proxy
	Token     string         `yaml:"token"`      // an operator's
	TokenFile string         `yaml:"token_file"` // a file with the token, instead
	Users     []access.User  `yaml:"users"`      // people who log in
	Tokens    []access.Token `yaml:"tokens"`     // of programs
	Proxy     access.Proxy   `yaml:"proxy"`      // before LogStream
	BasePath  string         `yaml:"base_path"`  // under which everything is, such as /logstream
	Hosts     []string       `yaml:"hosts"`      // names by which browsers may reach it
	PublicURL string         `yaml:"public_url"` // the address that people use
	TLS       TLS            `yaml:"tls"`
	Open      []string       `yaml:"open"` // what needs no credential: metrics

	StatusPage StatusPage `yaml:"status_page"`
}

// TLS is with which certificate the page is served; empty: without TLS.
type TLS struct {
	Cert string        `yaml:"cert"` // a file with the certificate and those between it and its authority; read again when it changes
	Key  string        `yaml:"key"`  // a file with its key
	HSTS time.Duration `yaml:"hsts"` // how long browsers must use only TLS for this name; 0s: no such demand
}

func (t TLS) on() bool { return t.Cert != "" && t.Key != "" }

// Default is the configuration before anything is configured.
func Default() Config {
	return Config{Listen: "127.0.0.1:5000", Proxy: access.Proxy{GroupsHeader: access.GroupsHeader}}
}

// access is who may enter.
func (c Config) access() access.Config {
	return access.Config{Token: c.Token, Tokens: c.Tokens, Users: c.Users, Proxy: c.Proxy, BasePath: c.BasePath}
}

// URL is where the page is when it listens on address.
func (c Config) URL(address string) string {
	scheme := "http"
	if c.TLS.on() {
		scheme = "https"
	}
	return scheme + "://" + address + c.BasePath
}

// Secrets are the values in c that nothing may show.
func (c Config) Secrets() []string {
	all := []string{c.Token}
	for _, t := range c.Tokens {
		all = append(all, t.Token)
	}
	for _, u := range c.Users {
		all = append(all, u.Password)
	}
	return all
}

var (
	basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
	hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
)

// openable is what dashboard.open can name: the routes that say so.
var openable = []string{"metrics"}

// Problems are all that is wrong with c as far as can be seen without
// listening; nil where nothing is.
func (c Config) Problems() []service.Problem {
	var all []service.Problem
	add := func(key, value, suggestion, message string) {
		all = append(all, service.Problem{Key: key, Value: value, Suggestion: suggestion, Message: message})
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		add("listen", c.Listen, "", "is not an address with a port, such as 127.0.0.1:5000")
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		add("listen", c.Listen, "", fmt.Sprintf("has the port %q, which is not a number up to 65535", port))
	} else if ip := net.ParseIP(host); !c.access().Guarded() && n < 1<<16 && (host == "" || ip != nil && !ip.IsLoopback()) {
		add("listen", c.Listen, "", beyondLoopback)
	}
	switch near := "/" + strings.Trim(c.BasePath, "/"); {
	case c.BasePath == "" || basePath.MatchString(c.BasePath) && !strings.Contains(c.BasePath+"/", "/./") && !strings.Contains(c.BasePath+"/", "/../"):
	case basePath.MatchString(near):
		add("base_path", c.BasePath, near, "must begin with a slash and not end with one")
	default:
		add("base_path", c.BasePath, "", "is not a path such as /logstream")
	}
	for _, name := range c.Hosts {
		if !hostName.MatchString(name) && net.ParseIP(name) == nil {
			add("hosts", name, "", "is not a host's name, such as status.example.com, without https:// and port")
		}
	}
	for _, name := range c.Open {
		if name != openable[0] {
			add("open", name, nearest.Of(name, openable), "cannot be opened without a credential; use "+strings.Join(openable, ", "))
		}
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
			add("public_url", c.PublicURL, "", "is not an address such as https://status.example.com")
		case strings.TrimSuffix(u.Path, "/") != c.BasePath:
			add("public_url", c.PublicURL, "", fmt.Sprintf("has another path than base_path, which is %q", c.BasePath))
		}
	}
	return slices.Concat(all, c.access().Problems(), c.TLS.problems(), c.StatusPage.problems())
}

func (t TLS) problems() []service.Problem {
	switch {
	case t.Cert == "" && t.Key == "" && t.HSTS == 0:
		return nil
	case t.Cert == "":
		return []service.Problem{{Key: "tls.cert", Message: "is missing: TLS needs a certificate and its key"}}
	case t.Key == "":
		return []service.Problem{{Key: "tls.key", Message: "is missing: TLS needs a certificate and its key"}}
	case t.HSTS < 0:
		return []service.Problem{{Key: "tls.hsts", Value: t.HSTS.String(), Message: "must not be negative"}}
	}
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		return []service.Problem{{Key: "tls.cert", Value: t.Cert, Message: "cannot be used with tls.key: " + err.Error()}}
	}
	return nil
}

const beyondLoopback = "is reachable from other machines, and the page can stop containers: " +
	"set dashboard.token, dashboard.users or dashboard.proxy, or listen on loopback, such as 127.0.0.1:5000"
