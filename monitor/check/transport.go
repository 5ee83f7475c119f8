package check

import "net/http"

// transport is what net/http's has of use here.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// newTransport is for one service alone, so that its connection is only its own.
func (c *httpCheck) newTransport() transport {
	if c.def.Scheme() == "http" && !c.def.Request.Redirects {
		// A connection that would be too old for the next check is not kept.
		return &plainTransport{dial: c.dial, address: c.address, keep: c.def.Interval < c.def.KeepAlive}
	}
	return &http.Transport{
		MaxIdleConns: 1, IdleConnTimeout: c.def.KeepAlive, DisableKeepAlives: c.def.KeepAlive == 0,
		DialContext: c.dial, DialTLSContext: c.dialTLS,
		MaxResponseHeaderBytes: maxHeader, WriteBufferSize: 1 << 10,
		ForceAttemptHTTP2: true, DisableCompression: true,
	}
}
