package check

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"logstream/internal/event"
)

// redisServer answers commands as answer says, in Redis' protocol.
func redisServer(t *testing.T, answer func(words []string) string) string {
	return rawServer(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		number := func(sign string) int {
			line, _ := in.ReadString('\n')
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, sign)))
			return n
		}
		for {
			words := make([]string, number("*"))
			for i := range words {
				word := make([]byte, number("$")+2)
				io.ReadFull(in, word)
				words[i] = strings.TrimSpace(string(word))
			}
			if len(words) == 0 {
				return
			}
			fmt.Fprintf(conn, "%s\r\n", answer(words))
		}
	})
}

func TestRedisAnswersAreJudged(t *testing.T) {
	always := func(answer string) func([]string) string { return func([]string) string { return answer } }
	// locked wants a login first, and answers it and what follows.
	locked := func(login, after string) func([]string) string {
		in := false
		return func(words []string) string {
			switch {
			case words[0] == "AUTH":
				in = strings.HasPrefix(login, "+")
				return login
			case !in:
				return "-NOAUTH Authentication required."
			}
			return after
		}
	}
	for _, c := range []struct {
		name, url string
		answer    func([]string) string
		failure   event.Failure
		says      string
	}{
		{"serves", "redis://%s", always("+PONG"), "", ""},
		{"serves after a login", "redis://ann:" + canary + "@%s/3", locked("+OK", "+PONG"), "", ""},
		{"loads its data", "redis://%s", always("-LOADING Redis is loading the dataset in memory"), event.FailureAnswer, "answers with an error: LOADING"},
		{"loads its data, and a login would be refused for that", "redis://:" + canary + "@%s", locked("-LOADING Redis is loading", ""), event.FailureAnswer, "LOADING"},
		{"its primary is lost", "redis://:" + canary + "@%s", locked("+OK", "-MASTERDOWN Link with MASTER is down"), event.FailureAnswer, "MASTERDOWN"},
		{"takes no more connections", "redis://:" + canary + "@%s", always("-ERR max number of clients reached"), event.FailureAnswer, "max number of clients"},
		{"wants a login", "redis://%s", locked("", ""), event.FailureAuth, "requires a login: NOAUTH"},
		{"refuses the login", "redis://ann:" + canary + "@%s", locked("-WRONGPASS invalid username-password pair", ""), event.FailureAuth, "refuses the login: WRONGPASS"},
		{"refuses it as old versions do", "redis://:" + canary + "@%s", locked("-ERR invalid password", ""), event.FailureAuth, "refuses the login: ERR"},
		{"forbids PING", "redis://:" + canary + "@%s", locked("+OK", "-NOPERM this user has no permissions to run the 'ping' command"), event.FailureAuth, "NOPERM"},
		{"has no such database", "redis://%s/99", func(words []string) string {
			if words[0] == "SELECT" {
				return "-ERR DB index is out of range"
			}
			return "+PONG"
		}, event.FailureAnswer, "DB index"},
		{"repeats what it is sent", "redis://ann:" + canary + "@%s", func(words []string) string {
			if words[0] == "PING" {
				return "-NOAUTH"
			}
			return "-ERR unknown command, with args beginning with: " + strings.Join(words, " ")
		}, event.FailureAuth, "unknown command"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := redisServer(t, c.answer)
			seen := lookOnce(t, fmt.Sprintf(c.url, address), nil)
			if c.failure == "" {
				sees(t, seen, event.Up, "", "")
			} else {
				sees(t, seen, event.Down, c.failure, c.says)
			}
		})
	}
}
