//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"logstream/internal/supervise"
)

// naive is the hub that is written first, after the chat example of
// gorilla/websocket: a queue and a goroutine for each client, and one message for each
// event. It encodes an event once. A client whose queue is full is disconnected; the queue
// is far longer than the example's, so that the rate is what the machine can do.
func naive(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var mu sync.Mutex
	clients := map[chan []byte]bool{}
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := upgrader.Upgrade(w, req, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		queue := make(chan []byte, 10_000)
		mu.Lock()
		clients[queue] = true
		mu.Unlock()
		for message := range queue {
			conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if conn.WriteMessage(websocket.TextMessage, message) != nil {
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		delete(clients, queue)
	})}
	fmt.Println(listener.Addr())
	var group errgroup.Group
	supervise.Go(ctx, &group, "server", func(context.Context) error { return server.Serve(listener) })
	events := bufio.NewScanner(os.Stdin)
	for events.Scan() {
		message := fmt.Appendf(nil, `{"kind":"health","data":%s}`, events.Bytes())
		mu.Lock()
		for queue := range clients {
			select {
			case queue <- message:
			default:
				delete(clients, queue)
				close(queue)
			}
		}
		mu.Unlock()
	}
	server.Close()
	group.Wait()
	return nil
}

// profiled runs a server, and writes its CPU profile if that is wanted.
func profiled(path string, run func() error) error {
	if path == "" {
		return run()
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return run()
}
