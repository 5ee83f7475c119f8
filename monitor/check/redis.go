package check

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"logstream/internal/event"
	"logstream/internal/service"
)

const protocolRedis = "Redis"

var redisKind = Kind{Name: "redis", Schemes: []string{"redis", "rediss"}, Example: "redis://user:password@localhost:6379/0",
	Problems: redisProblems, New: newRedis}

// redisCheck logs in where the url says as whom, and sends PING. It speaks the
// protocol itself: the answers to its three commands are one line each, and
// clients reserve as much memory as a server claims to be going to send.
type redisCheck struct {
	stateless
	def  service.Definition
	url  *url.URL
	user string
	pass string
	db   string
}

func newRedis(def service.Definition, env Env) Checker {
	c := &redisCheck{stateless: statelessOf(def, env, protocolRedis, "6379"), def: def, url: urlOf(def)}
	c.user = c.url.User.Username()
	c.pass, _ = c.url.User.Password()
	c.db = strings.Trim(c.url.Path, "/")
	c.run = c.ping
	return c
}

func redisProblems(def service.Definition, u *url.URL) []service.Problem {
	db := strings.Trim(u.Path, "/")
	if n, err := strconv.ParseUint(db, 10, 16); db != "" && (err != nil || strconv.FormatUint(n, 10) != db) {
		return urlProblem(u, "has a path that is not the number of a database, such as redis://localhost:6379/0")
	}
	if password, _ := u.User.Password(); u.User != nil && password == "" {
		return urlProblem(u, "has no password; write redis://user:password@host or redis://:password@host")
	}
	return urlProblems(u)
}

func (c *redisCheck) ping(ctx context.Context, p *progress) error {
	s := p.session(ctx)
	defer s.end()
	conn, err := s.open()
	if err == nil && c.url.Scheme == "rediss" {
		var config *tls.Config
		if config, err = p.tlsConfig(c.def.TLS); err == nil {
			conn, err = p.handshake(ctx, conn, config)
		}
	}
	if err != nil {
		return err
	}
	return c.converse(p, redisConn{conn: conn, in: bufio.NewReaderSize(conn, maxRedisLine)})
}

// converse sends PING first: a server that takes no more connections says so in
// answer to whatever comes first, and only the answer to AUTH is about the login.
func (c *redisCheck) converse(p *progress, conn redisConn) error {
	code, says, err := conn.command("PING")
	if err != nil {
		return err
	}
	if c.pass != "" && (code == "" || code == "NOAUTH") {
		login := []string{"AUTH", c.pass}
		if c.user != "" {
			login = []string{"AUTH", c.user, c.pass}
		}
		if code, says, err = conn.command(login...); err != nil {
			return err
		}
		if code != "" && !busy[code] {
			return failed(event.FailureAuth, "%s refuses the login: %s", p.host, p.said(says))
		}
		if code == "" {
			if code, says, err = conn.command("PING"); err != nil {
				return err
			}
		}
	}
	if code == "" && c.db != "" {
		if code, says, err = conn.command("SELECT", c.db); err != nil {
			return err
		}
	}
	switch code {
	case "":
		p.noteAnswer("answer", says)
		return nil
	case "NOAUTH":
		return failed(event.FailureAuth, "%s requires a login: %s", p.host, p.said(says))
	case "WRONGPASS", "NOPERM":
		return failed(event.FailureAuth, "%s refuses the login: %s", p.host, p.said(says))
	}
	return failed(event.FailureAnswer, "%s answers with an error: %s", p.host, p.said(says))
}

var errNotRedis = errors.New("not an answer of Redis")

// busy are the codes of a server that cannot answer a command now, whichever it is.
var busy = map[string]bool{"LOADING": true, "BUSY": true, "MASTERDOWN": true}

// maxRedisLine is how long a line of an answer may be.
const maxRedisLine = 4 << 10

// redisConn sends commands whose answers have one line.
type redisConn struct {
	conn net.Conn
	in   *bufio.Reader
}

// command is the server's answer; the code is the first word of an error, and
// empty where the answer is a good one.
func (c redisConn) command(words ...string) (code, says string, err error) {
	request := []byte("*" + strconv.Itoa(len(words)) + "\r\n")
	for _, word := range words {
		request = append(request, "$"+strconv.Itoa(len(word))+"\r\n"+word+"\r\n"...)
	}
	if _, err := c.conn.Write(request); err != nil {
		return "", "", err
	}
	raw, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", "", err // bufio.ErrBufferFull too: a line without end
	}
	line, whole := strings.CutSuffix(string(raw), "\r\n")
	if whole && strings.HasPrefix(line, "+") {
		return "", line[1:], nil
	}
	if whole && strings.HasPrefix(line, "-") {
		if code, _, _ = strings.Cut(line[1:], " "); code != "" {
			return code, line[1:], nil
		}
	}
	return "", "", errNotRedis
}
