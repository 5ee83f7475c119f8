package dashboard

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"logstream/internal/service"
)

// Config is where the page is served.
type Config struct {
	Listen string `yaml:"listen"` // beyond loopback only with a token
	Token  string `yaml:"token"`
}

// Default is the configuration before anything is configured.
func Default() Config { return Config{Listen: "127.0.0.1:5000"} }

// Problems are all that is wrong with c as far as can be seen without
// listening; nil where nothing is.
func (c Config) Problems() []service.Problem {
	var all []service.Problem
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		all = append(all, service.Problem{Key: "listen", Value: c.Listen, Message: "is not an address with a port, such as 127.0.0.1:5000"})
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		all = append(all, service.Problem{Key: "listen", Value: c.Listen, Message: fmt.Sprintf("has the port %q, which is not a number up to 65535", port)})
	} else if ip := net.ParseIP(host); c.Token == "" && n < 1<<16 && (host == "" || ip != nil && !ip.IsLoopback()) {
		all = append(all, service.Problem{Key: "listen", Value: c.Listen, Message: beyondLoopback})
	}
	if c.Token != strings.TrimSpace(c.Token) || strings.ContainsAny(c.Token, "\r\n") {
		all = append(all, service.Problem{Key: "token", Value: "***", Message: "begins or ends with white space, or holds a line break"})
	}
	return all
}

const beyondLoopback = "is reachable from other machines, and the page can stop containers: " +
	"set dashboard.token, or listen on loopback, such as 127.0.0.1:5000"
