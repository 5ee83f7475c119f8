package check

import (
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/service"
)

// mysqlPacket is a packet of MySQL's protocol.
func mysqlPacket(seq byte, payload string) []byte {
	header := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	header[3] = seq
	return append(header, payload...)
}

func mysqlError(seq byte, number uint16, says string) []byte {
	return mysqlPacket(seq, "\xff"+string(binary.LittleEndian.AppendUint16(nil, number))+"#HY000"+says)
}

// mysqlGreeting is that of a server without TLS, which wants a login by a method.
func mysqlGreeting(method string) []byte {
	const capabilities = 0x0008_a2ff &^ 0x0800 // all that is usual, and no TLS
	low, high := binary.LittleEndian.AppendUint16(nil, capabilities&0xffff), binary.LittleEndian.AppendUint16(nil, capabilities>>16)
	return mysqlPacket(0, "\x0a8.0.36\x00\x01\x00\x00\x0012345678\x00"+string(low)+"\x2d\x02\x00"+string(high)+"\x15"+strings.Repeat("\x00", 10)+"123456789012\x00"+method+"\x00")
}

// mysqlServer greets, and answers the login and then each command in turn.
func mysqlServer(t *testing.T, greeting []byte, answers ...[]byte) string {
	return rawServer(t, func(conn net.Conn) {
		conn.Write(greeting)
		for _, answer := range answers {
			request(conn)
			conn.Write(answer)
		}
		readAll(conn)
	})
}

func TestMySQLAnswersAreJudged(t *testing.T) {
	native, welcome := mysqlGreeting("mysql_native_password"), mysqlPacket(2, "\x00\x00\x00\x02\x00\x00\x00")
	column := mysqlPacket(2, "\x03def\x00\x00\x00\x011\x00\x0c\x3f\x00\x01\x00\x00\x00\x08\x81\x00\x00\x00\x00")
	end := func(seq byte) string { return string(mysqlPacket(seq, "\xfe\x00\x00\x02\x00")) }
	one := []byte(string(mysqlPacket(1, "\x01")) + string(column) + end(3) + string(mysqlPacket(4, "\x011")) + end(5))
	for _, c := range []struct {
		name    string
		address string
		query   string
		failure event.Failure
		says    string
	}{
		{"serves", mysqlServer(t, native, welcome, one), "", "", ""},
		{"too many connections", mysqlServer(t, mysqlError(0, 1040, "Too many connections")), "", event.FailureAnswer, "answers with an error: Too many connections (error 1040)"},
		{"this host is blocked", mysqlServer(t, mysqlError(0, 1129, "Host is blocked")), "", event.FailureAnswer, "error 1129"},
		{"this host may not log in", mysqlServer(t, mysqlError(0, 1130, "Host is not allowed")), "", event.FailureAuth, "error 1130"},
		{"wrong password", mysqlServer(t, native, mysqlError(2, 1045, "Access denied for "+canary)), "", event.FailureAuth, "refuses the login: Access denied for *** (error 1045)"},
		{"no such database", mysqlServer(t, native, mysqlError(2, 1049, "Unknown database")), "", event.FailureAnswer, "error 1049"},
		{"shut down before the query", mysqlServer(t, native, welcome, mysqlError(1, 1053, "Server shutdown in progress")), "", event.FailureAnswer, "error 1053"},
		{"a password in clear text is wanted", mysqlServer(t, native, mysqlPacket(2, "\xfemysql_clear_password\x00")), "", event.FailureAuth, "does not support"},
		{"the query is not answered", mysqlServer(t, native, welcome), "", event.FailureHeaderTimeout, "began to answer but did not finish"},
		{"TLS is wanted and not offered", mysqlServer(t, native), "?tls=true", event.FailureProtocol, "does not offer TLS, and the url has tls=true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := lookOnce(t, fmt.Sprintf("mysql://ann:%s@%s/shop%s", canary, c.address, c.query), short(c.failure))
			if c.failure == "" {
				sees(t, seen, event.Up, "", "")
			} else {
				sees(t, seen, event.Down, c.failure, c.says)
			}
		})
	}
}

// TestMySQLOfAHostileServer: the driver takes lengths as the server gives them.
func TestMySQLOfAHostileServer(t *testing.T) {
	native, welcome := mysqlGreeting("mysql_native_password"), mysqlPacket(2, "\x00\x00\x00\x02\x00\x00\x00")
	columns := string(mysqlPacket(1, "\xfe\xff\xff\xff\xff\xff\xff\xff\x3f"))
	column := mysqlPacket(2, "\x03def\x00\x00\x00\x011\x00\x0c\x3f\x00\x01\x00\x00\x00\x08\x81\x00\x00\x00\x00")
	for name, answers := range map[string][][]byte{
		"an error that is cut":           {welcome, mysqlPacket(1, "\xff")},
		"columns without number":         {welcome, []byte(columns)},
		"columns without end":            {welcome, []byte(columns + strings.Repeat(string(column), 10_000))},
		"a packet of the greatest size":  {welcome, []byte("\xff\xff\xff\x01" + strings.Repeat("x", 1<<18))},
		"a file of this machine is read": {welcome, mysqlPacket(1, "\xfb/etc/passwd")},
	} {
		t.Run(name, func(t *testing.T) {
			address := mysqlServer(t, native, answers...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			seen := lookOnce(t, "mysql://ann:"+canary+"@"+address+"/shop", func(d *service.Definition) { d.Timeout = 2 * time.Second })
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("it took %d MiB", used>>20)
			}
			if seen.Status != event.Down || strings.Contains(seen.Error, "passwd") {
				t.Errorf("saw %+v", seen)
			}
			t.Log(seen.Failure, seen.Error)
		})
	}
}

// TestMySQLAfterAPanicOfTheDriver has a server answer the login with a packet that is cut.
func TestMySQLAfterAPanicOfTheDriver(t *testing.T) {
	var connections atomic.Int32
	address := rawServer(t, func(conn net.Conn) {
		connections.Add(1)
		conn.Write(mysqlGreeting("mysql_native_password"))
		request(conn)
		conn.Write(mysqlPacket(2, "\xff"))
		readAll(conn)
	})
	check := newMySQL(definitionOf(t, "mysql://ann:"+canary+"@"+address+"/shop", nil), Env{})
	defer check.Close()
	for i, want := range []int32{1, 1, 2} {
		if i == 2 {
			check.Fresh() // its container came back
		}
		sees(t, check.Check(t.Context()), event.Down, event.FailureProtocol, "not valid MySQL")
		if got := connections.Load(); got != want {
			t.Errorf("check %d: %d connections, want %d", i, got, want)
		}
	}
}
