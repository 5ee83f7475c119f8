package main

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logstream/dashboard"
	"logstream/dashboard/access"
)

// certificate writes one for 127.0.0.1, and its key.
func certificate(t *testing.T) dashboard.TLS {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	of := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(of.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := dashboard.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: of.Certificate[0]}, files.Key: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestCommandsThroughTLSWithATokenFromAFile: below a base path, with an authority
// of one's own, and with the certificate that the configuration names.
func TestCommandsThroughTLSWithATokenFromAFile(t *testing.T) {
	s := smallSetup(t, t.TempDir())
	files := certificate(t)
	s.config.Dashboard.TLS, s.config.Dashboard.BasePath = files, "/logstream"
	s.config.Dashboard.Tokens = []access.Token{{Name: "ci", Token: "0123456789abcdef", Role: access.Operator}, {Name: "screen", Token: "fedcba9876543210", Role: access.Viewer}}
	a, stop := started(t, s)
	page := a.dashboard.now().URL()
	if !strings.HasPrefix(page, "https://127.0.0.1:") || !strings.HasSuffix(page, "/logstream") {
		t.Fatalf("the page is at %s", page)
	}
	t.Setenv("LOGSTREAM_TOKEN", "")
	token := written(t, "0123456789abcdef\n")
	t.Setenv("LOGSTREAM_TOKEN_FILE", token)
	until(t, time.Minute, "it is ready", func() bool {
		code, _, _ := logstream("ready", "--url", page, "--ca", files.Cert)
		return code == exitDone
	})
	until(t, time.Minute, "a command is executed", func() bool {
		code, out, _ := logstream("hold", "--url", page, "--ca", files.Cert, "--reason", "a test", "--json")
		return code == exitDone && strings.Contains(out, `"by":"operator:ci"`)
	})
	if code, _, failed := logstream("incidents", "--url", page); code != exitFailed || !strings.Contains(failed, "certificate") {
		t.Errorf("an authority that this machine does not know: exit %d, %q", code, failed)
	}
	config := written(t, "dashboard: {listen: '"+a.dashboard.now().Addr()+"', base_path: /logstream, tls: {cert: '"+files.Cert+"', key: '"+files.Key+"'}}\nservices: [{name: a, url: 'http://a'}]\n")
	if code, out, failed := logstream("incidents", "--config", config); code != exitDone {
		t.Errorf("with the certificate of the configuration: exit %d, %q, %q", code, out, failed)
	}
	other := certificate(t)
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("another")})
	if err := os.WriteFile(other.Cert, block, 0o600); err != nil {
		t.Fatal(err)
	}
	var c client
	c.trusts(ofFile(other.Cert))
	if _, err := c.http.Get(page + "/healthz"); err == nil || !strings.Contains(err.Error(), "is not that of dashboard.tls.cert") {
		t.Errorf("with another certificate than that of the configuration: %v", err)
	}
	for file, want := range map[string]string{
		written(t, "fedcba9876543210"): "your role is viewer; this needs the role operator",
		written(t, "a wrong token"):    "a valid token is required: set LOGSTREAM_TOKEN",
	} {
		t.Setenv("LOGSTREAM_TOKEN_FILE", file)
		if code, out, failed := logstream("release", "--url", page, "--ca", files.Cert); code != exitFailed || out != "" || !strings.Contains(failed, want) {
			t.Errorf("exit %d, %q, %q; want %q", code, out, failed, want)
		}
	}
	for args, want := range map[string]string{"": "LOGSTREAM_TOKEN_FILE: ", token: "has no certificate in PEM form", "/none": "no such file"} {
		t.Setenv("LOGSTREAM_TOKEN_FILE", map[bool]string{true: "/none", false: token}[args == ""])
		line := []string{"incidents", "--url", page}
		if args != "" {
			line = append(line, "--ca", args)
		}
		if code, _, failed := logstream(line...); code != exitStartupFailure || !strings.Contains(failed, want) {
			t.Errorf("%q: exit %d, %q", line, code, failed)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}
