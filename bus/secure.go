package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// TLS is how the brokers are reached; the embedded broker has none.
type TLS struct {
	Enabled bool   `yaml:"enabled"`
	CA      string `yaml:"ca"`   // a file with the authorities of the brokers' certificates; empty: this machine's
	Cert    string `yaml:"cert"` // a file with our own certificate, where the brokers want one; read again at each connection
	Key     string `yaml:"key"`  // a file with its key
}

// SASL is the login at the brokers; without a Mechanism there is none.
type SASL struct {
	Mechanism    string `yaml:"mechanism"` // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"` // a file with the password, instead
}

// mechanisms are the logins that sarama has a client for, or gets one.
var mechanisms = map[string]func() sarama.SCRAMClient{
	sarama.SASLTypePlaintext:   nil,
	sarama.SASLTypeSCRAMSHA256: func() sarama.SCRAMClient { return &exchange{hash: scram.SHA256} },
	sarama.SASLTypeSCRAMSHA512: func() sarama.SCRAMClient { return &exchange{hash: scram.SHA512} },
}

// exchange is one login by SCRAM.
type exchange struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

// Begin is sarama.SCRAMClient's.
func (e *exchange) Begin(username, password, authzID string) error {
	client, err := e.hash.NewClient(username, password, authzID)
	if err == nil {
		e.conversation = client.NewConversation()
	}
	return err
}

// Step is sarama.SCRAMClient's.
func (e *exchange) Step(challenge string) (string, error) { return e.conversation.Step(challenge) }

// Done is sarama.SCRAMClient's.
func (e *exchange) Done() bool { return e.conversation.Done() }

// secure gives a client TLS and a login, as configured.
func (c Config) secure(of *sarama.Config) error {
	if len(c.Brokers) == 0 {
		return nil
	}
	if login, known := mechanisms[c.SASL.Mechanism]; known {
		of.Net.SASL.Enable, of.Net.SASL.Handshake = true, true
		of.Net.SASL.Mechanism = sarama.SASLMechanism(c.SASL.Mechanism)
		of.Net.SASL.User, of.Net.SASL.Password = c.SASL.Username, c.SASL.Password
		of.Net.SASL.SCRAMClientGeneratorFunc = login
	}
	if !c.TLS.Enabled {
		return nil
	}
	config, err := c.TLS.config()
	of.Net.TLS.Enable, of.Net.TLS.Config = true, config
	return err
}

// config is the client's side of TLS; usable also with an error, so that what is
// not trusted is refused.
func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.Cert != "" {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			own, err := tls.LoadX509KeyPair(t.Cert, t.Key)
			return &own, err
		}
	}
	if t.CA == "" {
		return config, nil
	}
	config.RootCAs = x509.NewCertPool()
	content, err := os.ReadFile(t.CA)
	if err == nil && !config.RootCAs.AppendCertsFromPEM(content) {
		err = errors.New("has no certificate in PEM")
	}
	return config, err
}

// ReadablePassword says whether the password is sent unencrypted to a broker on another
// machine: anyone who reads that traffic can then read and write every topic.
func (c Config) ReadablePassword() bool {
	return c.SASL.Mechanism == sarama.SASLTypePlaintext && !c.TLS.Enabled && slices.ContainsFunc(c.Brokers, func(address string) bool {
		host, _, err := net.SplitHostPort(address)
		return err == nil && !isLoopback(host)
	})
}

// securityProblems are all that is wrong with TLS and SASL.
func (c Config) securityProblems() []Problem {
	var all []Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, Problem{key, value, fmt.Sprintf(format, args...)})
	}
	t, s := c.TLS, c.SASL
	_, known := mechanisms[s.Mechanism]
	switch {
	case s.Mechanism == "" && (s.Username != "" || s.Password != ""):
		add("sasl.mechanism", "", "is missing: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	case s.Mechanism == "":
	case !known:
		add("sasl.mechanism", s.Mechanism, "must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	case s.Username == "":
		add("sasl.username", "", "is missing")
	case s.Password == "":
		add("sasl.password", "", "is missing: it, or password_file")
	case len(c.Brokers) == 0:
		add("sasl.mechanism", s.Mechanism, "has no brokers to log in at: the embedded broker serves this machine alone")
	}
	switch {
	case !t.Enabled && t != TLS{}:
		add("tls.enabled", "false", "must be true where a certificate or an authority is given")
	case !t.Enabled:
		return all
	case len(c.Brokers) == 0:
		add("tls.enabled", "true", "has no brokers: the embedded broker serves this machine alone, without TLS")
	}
	if _, err := t.config(); err != nil {
		add("tls.ca", t.CA, "cannot be used: %v", err)
	}
	if (t.Cert == "") != (t.Key == "") {
		add("tls.cert", t.Cert, "needs tls.key, and the other way round")
	} else if t.Cert != "" {
		if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
			add("tls.cert", t.Cert, "cannot be used with tls.key: %v", err)
		}
	}
	return all
}
