package check

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/gorilla/websocket"

	"logstream/internal/event"
	"logstream/internal/service"
)

// wsCheck opens a WebSocket, sends request.body as one text message, and reads
// until a message is as expected. Where nothing is expected it sends a ping, and
// waits for the pong. Each check opens its own connection.
type wsCheck struct {
	target
	def    service.Definition
	expect *expectation
}

func newWS(def service.Definition, env Env) *wsCheck {
	c := &wsCheck{def: def, target: newTarget(def, env, "WebSocket", portOf(def.Scheme()))}
	c.expect, _ = compile(def.Expect) // Problems has said what is wrong
	return c
}

func (c *wsCheck) Fresh() {}
func (c *wsCheck) Close() {}

func (c *wsCheck) Check(ctx context.Context) Observation { return c.target.check(ctx, c.run) }

func (c *wsCheck) run(ctx context.Context, p *progress) error {
	var state *tls.ConnectionState
	dialer := websocket.Dialer{
		NetDialContext: func(ctx context.Context, network, _ string) (net.Conn, error) { return p.dial(ctx, network, c.address) },
		NetDialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			secure, err := p.dialTLS(ctx, c.def.TLS)
			if err != nil {
				return nil, err
			}
			opened := secure.ConnectionState()
			state = &opened
			return secure, nil
		},
	}
	conn, response, err := dialer.DialContext(ctx, withoutUser(c.def.URL), headerOf(c.def, c.env))
	if response != nil {
		p.code = response.StatusCode
		p.noteResponse(response)
	}
	if err != nil {
		return c.refused(err, response)
	}
	defer conn.Close()
	defer untilEnd(ctx, conn.NetConn())()
	if err := c.expect.headers(c.target, response.Header); err != nil {
		return err
	}
	p.reach(stageWaiting)
	if err := c.converse(conn); err != nil {
		return c.broken(p, err)
	}
	return c.expect.certificate(c.target, state)
}

// refused is what a handshake that failed says.
func (c *wsCheck) refused(err error, response *http.Response) error {
	if !errors.Is(err, websocket.ErrBadHandshake) || response == nil {
		return err
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return failed(event.FailureProtocol, "what %s answers to the WebSocket handshake is not valid", c.host)
	}
	return unexpectedStatus(c.def, response.StatusCode, "101")
}

var errPong = errors.New("pong") // ends the reading

// converse sends what is to be sent, and waits for what is expected.
func (c *wsCheck) converse(conn *websocket.Conn) error {
	conn.SetReadLimit(maxAnswer)
	if c.def.Request.Body != "" {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(c.def.Request.Body)); err != nil {
			return err
		}
	}
	if !c.expect.ofContent() {
		conn.SetPongHandler(func(string) error { return errPong })
		if err := conn.WriteMessage(websocket.PingMessage, []byte("logstream")); err != nil {
			return err
		}
	}
	wrong := error(nil)
	for read := 0; ; {
		_, message, err := conn.ReadMessage()
		switch {
		case errors.Is(err, errPong):
			return nil
		case err != nil && wrong != nil:
			return wrong // the last message says more than that there was no other
		case err != nil:
			return err
		}
		if !c.expect.ofContent() {
			continue // a message before the pong
		}
		wrong = c.expect.content(c.target, event.FailureAnswer, "the message", message)
		if read += len(message); wrong == nil || read > maxBody {
			return wrong
		}
	}
}

// broken is err, where it is one of the WebSocket's own, with its failure.
func (c *wsCheck) broken(p *progress, err error) error {
	if !isTimeout(err) {
		p.reach(stageAnswering) // what is wrong may have come together with the handshake
	}
	closed, is := errors.AsType[*websocket.CloseError](err)
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return failed(event.FailureAnswer, "%s sent a message of more than %d bytes", c.host, maxAnswer)
	case is && closed.Code == websocket.CloseAbnormalClosure:
		return failed(event.FailureReset, "%s closed the connection before its response was complete", c.host)
	case is:
		return failed(event.FailureAnswer, "%s closed the WebSocket with the code %d %s", c.host, closed.Code, c.quoted(closed.Text))
	}
	return err
}

// withoutUser is a url without its credentials, which go into a header.
func withoutUser(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	u.User = nil
	return u.String()
}
