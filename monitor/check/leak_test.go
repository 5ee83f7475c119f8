//go:build unix

package check

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/miekg/dns"
	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"

	"logstream/internal/service"
)

// everyOtherKind are definitions of every kind that internal/failtest has no cases of:
// of servers that serve, that refuse, that never answer, that hang up, and of none.
func everyOtherKind(t *testing.T) []service.Definition {
	t.Helper()
	said := func(messages ...pgproto3.BackendMessage) func(string) []pgproto3.BackendMessage {
		return func(string) []pgproto3.BackendMessage { return messages }
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	serving := healthy(grpc_health_v1.HealthCheckResponse_SERVING)
	welcome, ready := &pgproto3.AuthenticationOk{}, &pgproto3.ReadyForQuery{TxStatus: 'I'}
	login := "://ann:" + canary + "@"
	urls := []string{
		"postgres" + login + postgresServer(t, said(welcome, ready), said(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}, ready)) + "/shop",
		"postgres" + login + postgresServer(t, sqlError("FATAL", "28P01"), nil) + "/shop",
		"postgres" + login + postgresServer(t, said(welcome, ready), said()) + "/shop",
		"mysql" + login + mysqlServer(t, mysqlGreeting("mysql_native_password"), mysqlPacket(2, "\x00\x00\x00\x02\x00\x00\x00"), mysqlPacket(1, "\x00\x00\x00\x02\x00\x00\x00")) + "/shop",
		"mysql" + login + mysqlServer(t, mysqlGreeting("mysql_native_password"), mysqlError(2, 1045, "no")) + "/shop",
		"redis" + login + redisServer(t, func([]string) string { return "+PONG" }),
		"redis" + login + redisServer(t, func([]string) string { return "-NOAUTH no" }),
		"kafka://" + cluster.ListenAddrs()[0] + "/orders", "kafka://" + cluster.ListenAddrs()[0] + "/returns",
		"grpc://" + grpcServer(t, serving), "grpc://" + grpcServer(t, serving) + "/nothing",
		"grpcs://" + grpcServer(t, serving, grpc.Creds(credentials.NewServerTLSFromCert(new(certificate(t))))),
		"dns://" + nameServer(t, zone("shop.test. 60 A 192.0.2.1")) + "/shop.test", "dns://" + nameServer(t, zone()) + "/shop.test", "dns://" + nameServer(t, func(dns.ResponseWriter, *dns.Msg) {}) + "/shop.test",
		"icmp://127.0.0.1", "icmp://192.0.2.1", "icmp://shop.invalid",
		"disk://" + t.TempDir(), "disk:///missing",
	}
	mute, hangsUp, none := rawServer(t, readAll), rawServer(t, func(net.Conn) {}), closedPort(t)
	for _, kind := range []string{"postgres" + login, "mysql" + login, "redis" + login, "rediss" + login, "kafka://", "grpc://", "grpcs://", "dns://"} {
		for _, address := range []string{mute, hangsUp, none} {
			urls = append(urls, kind+address+strings.Repeat("/shop", strings.Count("dns://", kind)))
		}
	}
	var defs []service.Definition
	for _, url := range urls {
		defs = append(defs, definitionOf(t, url, func(d *service.Definition) {
			d.Timeout, d.TLS.Insecure = 300*time.Millisecond, strings.HasSuffix(url, "1")
		}))
	}
	for _, k := range Kinds {
		if !slices.Contains([]string{"http", "tcp", "tls", "ws"}, k.Name) && !slices.ContainsFunc(urls, func(u string) bool { of, _ := Of(u); return of.Name == k.Name }) {
			t.Errorf("the kind %s is left out", k.Name)
		}
	}
	return defs
}

// closedPort is an address of loopback at which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return fmt.Sprint(listener.Addr())
}
