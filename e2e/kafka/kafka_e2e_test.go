//go:build e2e

package kafka

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestTheBrokerComesBackWithItsRecords stops a broker between writes, and kills it.
func TestTheBrokerComesBackWithItsRecords(t *testing.T) {
	k := Start(t, "")
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics("t"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got, want []string
	for _, round := range []struct {
		value string
		end   func()
	}{{"before", k.Stop}, {"after", k.Kill}} {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: "t", Value: []byte(round.value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		want = append(want, round.value)
		for len(got) < len(want) && ctx.Err() == nil {
			for _, r := range client.PollFetches(ctx).Records() {
				got = append(got, string(r.Value))
			}
		}
		pid := k.Pid()
		round.end()
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d still runs: %v", pid, err)
		}
		if conn, err := net.Dial("tcp", k.Addr()); err == nil {
			conn.Close()
			t.Error("it still listens")
		}
		if round.value != "after" {
			k.Run()
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("read %v, want %v", got, want)
	}
}
