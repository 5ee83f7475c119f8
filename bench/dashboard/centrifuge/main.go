// Command centrifuge pushes each line of its standard input to all clients, as a
// publication in one channel to which the server subscribes them: the way that
// centrifuge is meant to be used for what all get.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/centrifugal/centrifuge"
)

const channel = "events"

func main() {
	delay := flag.Duration("delay", 0, "for which messages are collected before they are written")
	flag.Parse()
	if err := serve(*delay); err != nil {
		log.Fatal(err)
	}
}

func serve(delay time.Duration) error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		reply := centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: "page"},
			Subscriptions: map[string]centrifuge.SubscribeOptions{channel: {}},
		}
		if delay > 0 {
			reply.WriteDelay, reply.MaxMessagesInFrame = delay, -1
		}
		return reply, nil
	})
	if err := node.Run(); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		WriteTimeout: 10 * time.Second, UseWriteBufferPool: true, // as logstream has it
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: 5 * time.Minute, PongTimeout: time.Minute}, // the clients answer none
	}))
	fmt.Println(listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(listener, mux) }()
	events := bufio.NewScanner(os.Stdin)
	for events.Scan() {
		if _, err := node.Publish(channel, append([]byte(nil), events.Bytes()...)); err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		default:
		}
	}
	return node.Shutdown(context.Background())
}
