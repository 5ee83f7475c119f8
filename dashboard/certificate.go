package dashboard

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateEvery is how long a certificate is used before its files are looked
// at again.
const certificateEvery = 10 * time.Second

// certificate is that of the page, read again when its files change: who renews
// it need not restart anything.
type certificate struct {
	of  TLS
	log *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   [2]stamp // of the files that current was read from, or that could not be used
	looked  time.Time
}

// stamp is by what a changed file is known.
type stamp struct {
	size     int64
	modified time.Time
}

func stampOf(path string) stamp {
	info, err := os.Stat(path) // which follows links: a renewed certificate is often another target
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime()}
}

// load reads the files for the first time.
func (c *certificate) load() error {
	_, err := c.at(time.Now())
	return err
}

// at is the certificate to use now. One that cannot be read changes nothing: the
// one before stays in use, and the log says so once.
func (c *certificate) at(now time.Time) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil && now.Sub(c.looked) < certificateEvery {
		return c.current, nil
	}
	c.looked = now
	seen := [2]stamp{stampOf(c.of.Cert), stampOf(c.of.Key)}
	if c.current != nil && seen == c.stamp {
		return c.current, nil
	}
	read, err := tls.LoadX509KeyPair(c.of.Cert, c.of.Key)
	switch {
	case err == nil:
		if c.current != nil {
			c.log.Info("certificate read again", "file", c.of.Cert)
		}
		c.current = &read
	case c.current == nil:
		return nil, err
	default:
		c.log.Error("certificate cannot be read; the previous one stays in use", "file", c.of.Cert, "error", err)
	}
	c.stamp = seen
	return c.current, nil
}

// config is that of the server. HTTP/2 is net/http's own.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.at(time.Now()) }}
}
