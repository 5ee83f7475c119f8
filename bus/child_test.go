package bus

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
)

// child is this test binary as another process: it opens the bus in dir and,
// with BUS_TEST_WRITE, appends from that number on for ever, and reports each
// acknowledged number on its standard output. It is killed from outside, or
// ends by itself after half a minute.
func child(dir string) int {
	b, err := Open(context.Background(), testConfig(dir), Identity{"child", "local"}, slog.New(slog.DiscardHandler), new(health.Registry))
	if err != nil {
		fmt.Println("error", err)
		return 2
	}
	fmt.Println("open")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	from, err := strconv.Atoi(os.Getenv("BUS_TEST_WRITE"))
	if err != nil {
		<-ctx.Done()
		return 1
	}
	for i := from; ; i++ {
		if err := b.Append(ctx, event.TopicIncidents, "key", []byte(strconv.Itoa(i))); err != nil {
			fmt.Println("error", err)
			return 1
		}
		fmt.Println(i)
	}
}
