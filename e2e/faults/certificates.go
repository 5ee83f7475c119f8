//go:build e2e

package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates gives the first container a certificate that is valid and one that
// has expired, both of an authority in the scenario's folder.
func certificates(s *Stage) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the suite"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}
	made := map[string]string{}
	for name, ends := range map[string]time.Time{"CERTIFICATE": now.AddDate(0, 6, 0), "EXPIRED": now.AddDate(0, 0, -1), "ca": authority.NotAfter} {
		template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "shop"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			NotBefore: authority.NotBefore, NotAfter: ends}
		if name == "ca" {
			template = authority
		}
		der, err := x509.CreateCertificate(rand.Reader, template, authority, &key.PublicKey, key)
		if err != nil {
			return err
		}
		made[name] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	s.Containers[0].Args = []string{"-e", "CERTIFICATE=" + made["CERTIFICATE"], "-e", "EXPIRED=" + made["EXPIRED"],
		"-e", "KEY=" + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
	return os.WriteFile(filepath.Join(s.dir, "ca.pem"), []byte(made["ca"]), 0o600)
}
