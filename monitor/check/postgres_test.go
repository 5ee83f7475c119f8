package check

import (
	"fmt"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"logstream/internal/event"
)

// postgresServer asks each client for the password in clear text, and
// answers with what answer makes of it, and the query with another.
func postgresServer(t *testing.T, answer, query func(sent string) []pgproto3.BackendMessage) string {
	return rawServer(t, func(conn net.Conn) {
		server := pgproto3.NewBackend(conn, conn)
		say := func(messages ...pgproto3.BackendMessage) {
			for _, message := range messages {
				server.Send(message)
			}
			server.Flush()
		}
		for {
			startup, err := server.ReceiveStartupMessage()
			if err != nil {
				return
			}
			if _, wantsTLS := startup.(*pgproto3.SSLRequest); !wantsTLS {
				break
			}
			conn.Write([]byte("N"))
		}
		say(&pgproto3.AuthenticationCleartextPassword{})
		server.SetAuthType(pgproto3.AuthTypeCleartextPassword)
		for reply := answer; ; reply = query {
			sent, err := server.Receive()
			if err != nil {
				return
			}
			say(reply(fmt.Sprintf("%+v", sent))...)
		}
	})
}

func sqlError(severity, code string) func(string) []pgproto3.BackendMessage {
	return func(sent string) []pgproto3.BackendMessage {
		return []pgproto3.BackendMessage{&pgproto3.ErrorResponse{Severity: severity, Code: code, Message: "no: " + sent}}
	}
}

func TestPostgresAnswersAreJudged(t *testing.T) {
	welcome := func(string) []pgproto3.BackendMessage {
		return []pgproto3.BackendMessage{&pgproto3.AuthenticationOk{}, &pgproto3.ReadyForQuery{TxStatus: 'I'}}
	}
	one := func(string) []pgproto3.BackendMessage {
		return []pgproto3.BackendMessage{&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("?column?")}}},
			&pgproto3.DataRow{Values: [][]byte{[]byte("1")}}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, &pgproto3.ReadyForQuery{TxStatus: 'I'}}
	}
	for _, c := range []struct {
		name          string
		answer, query func(string) []pgproto3.BackendMessage
		failure       event.Failure
		says          string
	}{
		{"serves", welcome, one, "", ""},
		{"wrong password", sqlError("FATAL", "28P01"), nil, event.FailureAuth, "refuses the login: no: &{Password:***} (SQLSTATE 28P01)"},
		{"no line of pg_hba.conf", sqlError("FATAL", "28000"), nil, event.FailureAuth, "SQLSTATE 28000"},
		{"no right to connect", sqlError("FATAL", "42501"), nil, event.FailureAuth, "SQLSTATE 42501"},
		{"no such database", sqlError("FATAL", "3D000"), nil, event.FailureAnswer, "SQLSTATE 3D000"},
		{"starting up", sqlError("FATAL", "57P03"), nil, event.FailureAnswer, "answers with an error: no: &{Password:***} (SQLSTATE 57P03)"},
		{"too many connections", sqlError("FATAL", "53300"), nil, event.FailureAnswer, "SQLSTATE 53300"},
		{"shut down before the query", welcome, sqlError("FATAL", "57P01"), event.FailureAnswer, "SQLSTATE 57P01"},
		{"the query fails", welcome, func(sent string) []pgproto3.BackendMessage {
			return append(sqlError("ERROR", "XX001")(sent), &pgproto3.ReadyForQuery{TxStatus: 'I'})
		}, event.FailureAnswer, "SQLSTATE XX001"},
		{"the query is not answered", welcome, func(string) []pgproto3.BackendMessage { return nil }, event.FailureHeaderTimeout, "began to answer but did not finish"},
		{"another message", func(string) []pgproto3.BackendMessage { return []pgproto3.BackendMessage{&pgproto3.NoData{}} }, nil, event.FailureProtocol, "not valid PostgreSQL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := postgresServer(t, c.answer, c.query)
			seen := lookOnce(t, "postgres://ann:"+canary+"@"+address+"/shop", short(c.failure))
			if c.failure == "" {
				sees(t, seen, event.Up, "", "")
			} else {
				sees(t, seen, event.Down, c.failure, c.says)
			}
		})
	}
	t.Run("TLS is wanted and not offered", func(t *testing.T) {
		seen := lookOnce(t, "postgres://ann:"+canary+"@"+postgresServer(t, welcome, one)+"/shop?sslmode=require", nil)
		sees(t, seen, event.Down, event.FailureProtocol, "does not offer TLS, and the url has sslmode=require")
	})
}

// TestPostgresTakesNothingFromItsEnvironment: another program's variables would
// change what is checked.
func TestPostgresTakesNothingFromItsEnvironment(t *testing.T) {
	t.Setenv("PGPASSWORD", "other")
	t.Setenv("PGSSLMODE", "verify-full")
	t.Setenv("PGREQUIREAUTH", "scram-sha-256")
	t.Setenv("PGAPPNAME", "other")
	t.Setenv("PGCONNECT_TIMEOUT", "soon")
	t.Setenv("PGPORT", "1,2,3")
	t.Setenv("PGSSLNEGOTIATION", "direct")
	t.Setenv("PGSSLCERTMODE", "require")
	t.Setenv("PGCHANNELBINDING", "require")
	t.Setenv("PGMINPROTOCOLVERSION", "3.9")
	t.Setenv("PGMAXPROTOCOLVERSION", "latest")
	said := func(sent string) []pgproto3.BackendMessage { return sqlError("FATAL", "28P01")(sent) }
	seen := lookOnce(t, "postgres://ann:"+canary+"@"+postgresServer(t, said, nil), nil)
	sees(t, seen, event.Down, event.FailureAuth, "&{Password:***}")
}
