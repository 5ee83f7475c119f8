package main

import (
	"logstream/bus"
	"logstream/internal/config"
	"logstream/internal/link"
)

// links signs and reads the links of notifications; nil where the secret cannot
// be read.
func (a *app) links(c config.Config) *link.Signer {
	secret, err := bus.ReadSecret(c.Bus)
	if err != nil {
		a.log.Warn("links of notifications do nothing", "error", err)
		return nil
	}
	signer := link.New(secret)
	return &signer
}
