//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"logstream/bench/process"
	"logstream/internal/event"
)

// Whose observations the events are.
const (
	instance = "bench-0001"
	host     = "local"
)

// atOnce is how many observations the API takes in one call.
const atOnce = 1000

// child is a server, a process that this one started.
type child struct {
	cmd     *exec.Cmd
	address string
	in      io.WriteCloser // nil: events are posted
	next    int            // whose service is next
}

// start runs a server, and waits until it listens. It ends with this process.
func start(ctx context.Context, of *contender) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, of.program, of.args...), address: of.address}
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 10 * time.Second
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if of.post {
		if err := c.cmd.Start(); err != nil {
			return nil, err
		}
		return c, c.ready(ctx)
	}
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.in = in
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	c.address = strings.TrimSpace(line)
	return c, err
}

// ready waits until the whole program has read its log.
func (c *child) ready(ctx context.Context) error {
	for range 300 {
		if err := process.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		resp, err := http.Get("http://" + c.address + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	c.stop()
	return errors.New("it is not ready after 30 s")
}

// stop ends the server.
func (c *child) stop() {
	if c.in != nil {
		c.in.Close()
	}
	c.cmd.Process.Signal(syscall.SIGTERM)
	c.cmd.Wait()
}

// feed makes events at a rate, of one service after another, and is how many.
func (c *child) feed(ctx context.Context, l load, rate int, d time.Duration) (sent int, err error) {
	pause := 5 * time.Millisecond
	if c.in == nil {
		pause = 20 * time.Millisecond // of the API 100 calls a second are allowed
	}
	begin := time.Now()
	for time.Since(begin) < d {
		if err := process.Sleep(ctx, pause); err != nil {
			return sent, err
		}
		var batch []event.HealthLog
		for due := int(float64(rate) * min(time.Since(begin), d).Seconds()); sent < due; sent++ {
			batch = append(batch, event.HealthLog{Timestamp: event.Seconds(time.Now()), Service: serviceName(c.next % l.services), Status: event.Up, Code: 200,
				LatencyMS: 12.345, Check: "http", Revision: int64(c.next), Origin: event.Origin{Instance: instance, Host: host, Epoch: 1, Nonce: "4KQ7N2XJ5M3RZT6WBHVDLPC2AY"}})
			c.next++
		}
		if len(batch) == 0 {
			continue
		}
		for some := range slices.Chunk(batch, atOnce) {
			if err := c.write(ctx, some); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

func (c *child) write(ctx context.Context, batch []event.HealthLog) error {
	var all bytes.Buffer
	if c.in != nil {
		for _, h := range batch {
			all.Write(event.Encode(h))
			all.WriteByte('\n')
		}
		_, err := c.in.Write(all.Bytes())
		return err
	}
	if err := json.NewEncoder(&all).Encode(batch); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.address+"/api/v1/health-logs", &all)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("observations: %s %s", resp.Status, answer)
	}
	return nil
}

// freeAddress is one of loopback at which nothing listens right now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
