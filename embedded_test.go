package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// TestCertificatesAreBuiltIn runs itself again as in an image without files: the
// certificates are read once per process. Time zones are tested in such an image
// (e2e/packages): here the machine's own are found.
func TestCertificatesAreBuiltIn(t *testing.T) {
	const bare = "LOGSTREAM_TEST_BARE"
	if os.Getenv(bare) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), bare+"=1", "SSL_CERT_FILE="+os.DevNull, "SSL_CERT_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if roots, err := x509.SystemCertPool(); err != nil || roots.Equal(x509.NewCertPool()) {
		t.Errorf("there is no certificate: %v", err)
	}
}
