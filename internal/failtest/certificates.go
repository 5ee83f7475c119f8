//go:build unix

package failtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool // of this one alone
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: newKey(t), pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "failtest"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.certificate)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// What may be wrong with a certificate.
func valid(*x509.Certificate)       {}
func expired(c *x509.Certificate)   { c.NotAfter = time.Now().Add(-time.Hour) }
func endsSoon(c *x509.Certificate)  { c.NotAfter = time.Now().Add(50 * time.Hour) }
func otherName(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }

// config is of a server with a new certificate, in which something is wrong.
func (a *authority) config(t testing.TB, wrong func(*x509.Certificate)) *tls.Config {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "shop"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	wrong(template)
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func with(config *tls.Config, change func(*tls.Config)) *tls.Config {
	change(config)
	return config
}

// wantsClient says so within the handshake. TLS 1.3 says it after that, where the
// connection may break before it is read.
func wantsClient(c *tls.Config) {
	c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
}

func onlyOldTLS(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }

// Files are an authority's certificates in PEM form, for checks that read them.
type Files struct {
	Authority []byte
	ca        *authority
}

// NewFiles is a new authority.
func NewFiles(t testing.TB) Files {
	t.Helper()
	ca := newAuthority(t)
	return Files{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.certificate.Raw}), ca}
}

// Server is the certificate of a server at 127.0.0.1.
func (f Files) Server(t testing.TB) tls.Certificate { return f.ca.config(t, valid).Certificates[0] }

// Client is a client's certificate and its key.
func (f Files) Client(t testing.TB, name string) (cert, key []byte) {
	t.Helper()
	pair := f.ca.config(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.ExtKeyUsage = name, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}).Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
