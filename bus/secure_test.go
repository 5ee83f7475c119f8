//go:build unix

package bus

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"logstream/internal/event"
	"logstream/internal/failtest"
)

// secured is a broker with TLS that wants a certificate and a login, and the
// configuration that it lets in.
func secured(t *testing.T, mechanism string) Config {
	t.Helper()
	files, dir := failtest.NewFiles(t), t.TempDir()
	cert, key := files.Client(t, "logstream")
	for name, content := range map[string][]byte{"ca.pem": files.Authority, "cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(files.Authority)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(mechanism, "logstream", "a-long-password"),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			return tls.Listen(network, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{files.Server(t)}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert})
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	c := testConfig(t.TempDir())
	c.Brokers = cluster.ListenAddrs()
	c.TLS = TLS{Enabled: true, CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	c.SASL = SASL{Mechanism: mechanism, Username: "logstream", Password: "a-long-password"}
	return c
}

// TestBrokersWithTLSAndALogin writes and reads through each kind of login.
func TestBrokersWithTLSAndALogin(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			c := secured(t, mechanism)
			if problems := c.Problems(); len(problems) > 0 {
				t.Fatalf("it is held to be wrong: %v", problems)
			}
			b, _, _ := open(t, c)
			wait(t, "Kafka answers", func() bool { return b.Append(t.Context(), event.TopicIncidents, "web", []byte("1")) == nil })
			r := read(t, b, event.Subscription{Topic: event.TopicIncidents})
			wait(t, "it is read back", func() bool { return len(r.all()) > 0 })
		})
	}
}

// TestBrokersThatDoNotLetIn are unreachable, and say why.
func TestBrokersThatDoNotLetIn(t *testing.T) {
	right := secured(t, "SCRAM-SHA-512")
	for name, change := range map[string]func(*Config){
		"a wrong password":  func(c *Config) { c.SASL.Password = "another-password" },
		"no login":          func(c *Config) { c.SASL = SASL{} },
		"no certificate":    func(c *Config) { c.TLS.Cert, c.TLS.Key = "", "" },
		"another authority": func(c *Config) { c.TLS.CA = "" },
		"no TLS":            func(c *Config) { c.TLS = TLS{} },
	} {
		t.Run(name, func(t *testing.T) {
			c := right
			change(&c)
			_, err := Examine(t.Context(), c, testLog(t))
			if err == nil || strings.Contains(fmt.Sprint(err), "password\"") || strings.Contains(fmt.Sprint(err), "another-password") {
				t.Errorf("the answer is %v", err)
			}
		})
	}
}

func TestSecurityThatCannotBeMeant(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"sasl.mechanism is missing": func(c *Config) { c.SASL.Mechanism = "" },
		"sasl.mechanism must be":    func(c *Config) { c.SASL.Mechanism = "GSSAPI" },
		"sasl.username is missing":  func(c *Config) { c.SASL.Username = "" },
		"sasl.password is missing":  func(c *Config) { c.SASL.Password = "" },
		"sasl.mechanism has no":     func(c *Config) { c.Brokers = nil },
		"tls.enabled must be true":  func(c *Config) { c.TLS.Enabled = false },
		"tls.enabled has no":        func(c *Config) { c.Brokers = nil },
		"tls.ca cannot be used":     func(c *Config) { c.TLS.CA = c.TLS.Key },
		"tls.cert needs":            func(c *Config) { c.TLS.Key = "" },
		"tls.cert cannot be used":   func(c *Config) { c.TLS.Cert = "none.pem" },
	} {
		t.Run(want, func(t *testing.T) {
			c := secured(t, "PLAIN")
			change(&c)
			var said []string
			for _, p := range c.Problems() {
				said = append(said, p.Key+" "+p.Message)
			}
			if !strings.Contains(strings.Join(said, "\n"), want) {
				t.Errorf("it says %q", said)
			}
		})
	}
}
