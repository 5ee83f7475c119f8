package dashboard

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// certify writes a certificate for this machine, and its key.
func certify(t *testing.T, dir string, serial int64) TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "logstream"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.ParseIP("127.0.0.1")}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func authorities(t *testing.T, files TLS) *x509.CertPool {
	t.Helper()
	content, err := os.ReadFile(files.Cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(content)
	return pool
}

func TestTLS(t *testing.T) {
	files := certify(t, t.TempDir(), 1)
	files.HSTS = 24 * time.Hour
	s := open(t, func(d *Deps) { guarded("")(d); d.Config.TLS = files }).run()
	if s.dash.URL() != "https://"+s.dash.Addr() {
		t.Errorf("the address that is printed is %s", s.dash.URL())
	}
	s.url = s.dash.URL()
	pool := authorities(t, files)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	do := func(req *http.Request) (*http.Response, string) {
		t.Helper()
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	resp, _ := do(s.request("GET", "/", "", nil))
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") != "max-age=86400" {
		t.Errorf("%d %s %v", resp.StatusCode, resp.Proto, resp.Header)
	}
	resp, body := do(s.request("POST", "/login", ada("/").Encode(), header("Content-Type", formType)))
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	cookie := resp.Cookies()[0]
	if cookie.Name != "__Host-logstream" || !cookie.Secure || cookie.Path != "/" {
		t.Errorf("%s", cookie.Raw)
	}
	with := func(r *http.Request) { r.AddCookie(cookie) }
	if resp, body := do(s.request("POST", "/api/v1/hold", "{}", with)); resp.StatusCode != http.StatusAccepted {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := do(s.request("GET", "/api/v1/info", "", func(r *http.Request) { r.Header.Set("Cookie", "logstream="+cookie.Value) })); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("under the name that a page without TLS could set: %d", resp.StatusCode)
	}
	dialer := websocket.Dialer{HandshakeTimeout: wait, TLSClientConfig: &tls.Config{RootCAs: pool}}
	conn, _, err := dialer.Dial(strings.Replace(s.url, "https", "wss", 1)+"/ws", http.Header{"Origin": {s.url}, "Cookie": {cookie.Name + "=" + cookie.Value}})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, resp, err := dialer.Dial(strings.Replace(s.url, "https", "wss", 1)+"/ws", http.Header{"Origin": {"https://evil.example"}, "Cookie": {cookie.Name + "=" + cookie.Value}}); err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("/ws of a foreign page: %v", err)
	}
	if c, err := tls.Dial("tcp", s.dash.Addr(), &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}); err == nil {
		c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	plain, err := http.Get("http://" + s.dash.Addr() + "/api/v1/info")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Body.Close()
	if plain.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %d", plain.StatusCode)
	}
}

// TestACertificateIsReadAgain when its files have changed, and a broken one is not
// used.
func TestACertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	c := &certificate{of: certify(t, dir, 1), log: slog.New(slog.NewTextHandler(&log, nil))}
	at := time.Now()
	serial := func(want int64) {
		t.Helper()
		at = at.Add(certificateEvery)
		cert, err := c.at(at)
		if err != nil || cert.Leaf.SerialNumber.Int64() != want {
			t.Fatalf("%v, want serial %d", err, want)
		}
	}
	serial(1)
	certify(t, dir, 2)
	stamp := time.Now().Add(time.Minute) // whatever the file system's clock resolves
	for _, path := range []string{c.of.Cert, c.of.Key} {
		if err := os.Chtimes(path, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	if cert, _ := c.at(at); cert.Leaf.SerialNumber.Int64() != 1 {
		t.Error("the files are looked at for each connection")
	}
	serial(2)
	if err := os.WriteFile(c.of.Key, []byte("half of a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	serial(2)
	serial(2)
	if n := strings.Count(log.String(), "the previous one stays in use"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
	if err := os.Remove(c.of.Cert); err != nil {
		t.Fatal(err)
	}
	serial(2)
	certify(t, dir, 3)
	serial(3)
}

func TestCertificateProblems(t *testing.T) {
	files, other := certify(t, t.TempDir(), 1), certify(t, t.TempDir(), 2)
	for want, c := range map[string]TLS{
		"":         files,
		"tls.cert": {Cert: files.Cert, Key: other.Key},
		"tls.key":  {Cert: files.Cert},
		"tls.hsts": {Cert: files.Cert, Key: files.Key, HSTS: -1},
	} {
		config := Default()
		config.TLS = c
		all := config.Problems()
		if want == "" && len(all) == 0 {
			continue
		}
		if len(all) != 1 || all[0].Key != want || all[0].Message == "" {
			t.Errorf("%+v: %+v", c, all)
		}
	}
	dash, err := New(open(t, func(d *Deps) { d.Config.TLS = TLS{Cert: files.Cert, Key: other.Key} }).deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := dash.Listen(); err == nil || !strings.Contains(err.Error(), "dashboard.tls.cert") {
		t.Errorf("Listen: %v", err)
	}
}
