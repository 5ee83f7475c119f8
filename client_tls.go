package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// trusts has c connect to what trust lets it, and to nothing else.
func (c *client) trusts(trust *tls.Config) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	c.trust, c.http = trust, &http.Client{Transport: transport}
}

// ofAuthorities trusts certificates of the authorities in a file.
func ofAuthorities(path string) (*tls.Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%q has no certificate in PEM form", path)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// ofFile trusts exactly the certificate in a file: that of the dashboard, which
// this machine reaches by an address that is not in it.
func ofFile(path string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // VerifyConnection does it, and more strictly
		VerifyConnection: func(state tls.ConnectionState) error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			own, _ := pem.Decode(content)
			if own == nil || !bytes.Equal(own.Bytes, state.PeerCertificates[0].Raw) {
				return errors.New("its certificate is not that of dashboard.tls.cert")
			}
			return nil
		}}
}
