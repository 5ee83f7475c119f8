package check

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"logstream/internal/service"
)

// TestAnswerIsHiddenFromTheSenderOfTheDefinition has the status line, the
// headers' names and the redirections of an answer say something.
func TestAnswerIsHiddenFromTheSenderOfTheDefinition(t *testing.T) {
	const held = "c1assified"
	server := rawServer(t, answerer("HTTP/1.1 302 "+held+"\r\nX-"+held+": 1\r\nLocation: ftp://"+held+"/"+held+"\r\nContent-Length: 0\r\n\r\n"))
	for _, follow := range []bool{false, true} {
		def := definition("http://"+server, func(d *service.Definition) { d.Request.Redirects = follow })
		if seen := once(t, def, Env{Detail: true}); !strings.Contains(strings.ToLower(fmt.Sprint(seen)), held) {
			t.Errorf("a person does not see it: %+v", seen)
		}
		seen := once(t, def, Env{Detail: true, Discreet: true})
		if strings.Contains(strings.ToLower(fmt.Sprint(seen)), held) || seen.Code != 302 {
			t.Errorf("follow %t: saw %+v", follow, seen)
		}
	}
}

// answerer says the same to every request.
func answerer(answer string) func(conn net.Conn) {
	return func(conn net.Conn) {
		request(conn)
		fmt.Fprint(conn, answer)
		readAll(conn)
	}
}

// TestNoRecordHasWhatAnAnswerToADiscoveredServiceHolds: the author of an image may have
// written the url, and its answer would be in records that many read.
func TestNoRecordHasWhatAnAnswerToADiscoveredServiceHolds(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "c1assified") })
	for _, url := range []string{server.URL, strings.Replace(server.URL, "http", "tcp", 1)} {
		seen := once(t, definition(url, func(d *service.Definition) {
			d.Discovered, d.Expect.Body = true, "^nothing$"
			if strings.HasPrefix(url, "tcp") {
				d.Request.Body = `GET / HTTP/1.0\r\n\r\n`
			}
		}), Env{})
		if seen.Failure == "" || strings.Contains(seen.Error, "c1assified") || !strings.Contains(seen.Error, `expected to match "^nothing$"`) {
			t.Errorf("%s: saw %+v", url, seen)
		}
	}
}

// TestOverlappingSecretsAreMaskedWhole has one secret begin as another, and one
// of which a part looks like a secret by itself.
func TestOverlappingSecretsAreMaskedWhole(t *testing.T) {
	def := definition("http://shop.test", func(d *service.Definition) {
		d.Request.Bearer = "s3cret"
		d.Request.Headers = map[string]string{"X-A": "s3cret-of-the-shop", "X-B": "s3cret-of-the", "X-C": "password=abc and s3creter"}
	})
	for range 20 { // headers come in any order
		made := newTarget(def, Env{}, protocolHTTP, "80")
		if got := made.foreign("a s3cret-of-the-shop, s3cret-of-the, s3cret, password=abc and s3creter"); got != "a ***, ***, ***, ***" {
			t.Fatalf("masked is %q", got)
		}
	}
}
