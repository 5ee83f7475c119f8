package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
	"github.com/spf13/cobra"

	"logstream/dashboard/view"
	"logstream/internal/event"
	"logstream/internal/retry"
)

// tailCommand prints what happens, as it happens.
func tailCommand() *cobra.Command {
	cmd := newCommand("tail [service]", "Print what happens as it happens: changes of status, incidents with each step, and with --checks every check; Ctrl-C ends it",
		"logstream tail\nlogstream tail payment-service --checks\nlogstream tail --json | jq .")
	open, asJSON := clientOf(cmd), cmd.Flags().Bool("json", false, "print each record in a line of JSON, checks too")
	checks := cmd.Flags().Bool("checks", false, "print every check as well")
	cmd.ValidArgsFunction = completeNames(runningServices(open))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := open()
		if err != nil {
			return err
		}
		ctx, restore := untilSignal(cmd.Context())
		defer restore()
		t := &tailer{out: cmd.OutOrStdout(), color: consoleOf(cmd.OutOrStdout(), cmd.ErrOrStderr()).color, json: *asJSON, checks: *checks,
			sentences: newSentences("", time.Time{})}
		if len(args) == 1 {
			t.service = args[0]
		}
		return t.follow(ctx, cmd, c)
	}
	return cmd
}

// tailer prints the frames of the dashboard's stream.
type tailer struct {
	out          io.Writer
	color        bool
	json, checks bool
	service      string // empty: all
	sentences    *sentences
	connected    bool // it was, once
}

// A stream that ended is opened again after this, doubling up to the most.
const (
	firstReconnect = 500 * time.Millisecond
	maxReconnect   = 10 * time.Second
	// frameWait is how long a stream may be without a frame or a ping, of which
	// one comes each 20 s.
	frameWait = time.Minute
	maxFrame  = 64 << 20 // bytes
)

// follow prints until ctx ends. The first connection must succeed; one that is
// lost is made again.
func (t *tailer) follow(ctx context.Context, cmd *cobra.Command, c client) error {
	tries := retry.NewBackoff(firstReconnect, maxReconnect)
	for {
		err := t.once(ctx, cmd, c)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, new(startupFailure)):
			return err
		case !t.connected:
			return fmt.Errorf("tail: %w", err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "logstream: tail: the stream of %s ended (%v); connecting again\n", c.base, err)
		if !tries.Wait(ctx) {
			return nil
		}
	}
}

// once prints one stream until it ends.
func (t *tailer) once(ctx context.Context, cmd *cobra.Command, c client) error {
	conn, err := c.stream(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // ends the read below
	defer conn.Close()
	conn.SetReadLimit(maxFrame)
	alive := func() error { return conn.SetReadDeadline(time.Now().Add(frameWait)) }
	answer := conn.PingHandler()
	conn.SetPingHandler(func(data string) error { return errors.Join(alive(), answer(data)) })
	for {
		if err := alive(); err != nil {
			return err
		}
		_, content, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		var frame streamFrame
		if err := json.Unmarshal(content, &frame); err != nil {
			return fmt.Errorf("the program at %s is not LogStream; give LogStream's address with --url", c.base)
		}
		if err := t.frame(cmd, frame); err != nil {
			return err
		}
	}
}

// stream opens the WebSocket of the dashboard.
func (c client) stream(ctx context.Context) (*websocket.Conn, error) {
	address := *c.base.JoinPath("ws")
	address.Scheme = map[string]string{"http": "ws", "https": "wss"}[c.base.Scheme]
	header := http.Header{}
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	dialer := websocket.Dialer{HandshakeTimeout: callWithin, Proxy: http.ProxyFromEnvironment, TLSClientConfig: c.trust}
	conn, response, err := dialer.DialContext(ctx, address.String(), header)
	if response != nil && err != nil {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // what there is of it
		return nil, refused4xx(response, body)
	}
	if err != nil {
		return nil, fmt.Errorf("LogStream does not answer at %s: %w; start it with logstream run, or give its address with --url", c.base, err)
	}
	return conn, nil
}

// streamFrame is a frame of the contract's section 4, as far as it is printed.
type streamFrame struct {
	Type     string           `json:"type"`
	Services []shownService   `json:"services"`
	Events   []streamedChange `json:"events"`
}

type streamedChange struct {
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// shownService is what of a service is printed.
type shownService struct {
	Name   string       `json:"name"`
	Status event.Status `json:"status"`
	Error  string       `json:"error"`
}

// frame prints what a frame says. Of a snapshot that is what is not UP, and what
// differs from what was printed.
func (t *tailer) frame(cmd *cobra.Command, frame streamFrame) error {
	if frame.Type != "snapshot" {
		for _, change := range frame.Events {
			t.change(change)
		}
		return nil
	}
	first := !t.connected
	t.connected = true
	var names []string
	for _, s := range frame.Services {
		names = append(names, s.Name)
		if said := t.status(s); !first || s.Status != event.Up {
			t.print(said)
		}
	}
	if first && t.service != "" && !slices.Contains(names, t.service) {
		return unknownName(cmd, "service", t.service, names)
	}
	return nil
}

// change prints one change, unless it is of another service or of no interest.
// One that cannot be read is one that this version does not know.
func (t *tailer) change(change streamedChange) {
	switch change.Kind {
	case view.KindHealth:
		var h event.HealthLog
		if (t.checks || t.json) && json.Unmarshal(change.Data, &h) == nil && t.wants(h.Service) {
			t.record(change.Data, checked(h))
		}
	case view.KindService:
		var s shownService
		if json.Unmarshal(change.Data, &s) == nil {
			t.print(t.status(s))
		}
	case view.KindIncident:
		if e, err := event.DecodeIncident(change.Data); err == nil && t.wants(e.Service) {
			said := t.sentences.of(e)
			said.at = e.Time
			t.record(event.Encode(e), said)
		}
	}
}

func (t *tailer) wants(service string) bool { return t.service == "" || t.service == service }

// status is a change of a service's status, or nothing.
func (t *tailer) status(s shownService) entry {
	if !t.wants(s.Name) {
		return entry{}
	}
	said := t.sentences.is(s.Name, s.Status, s.Error)
	said.at = time.Now()
	return said
}

// checked is one check in words.
func checked(h event.HealthLog) entry {
	what := fmt.Sprintf("%s %s %s, %d ms", h.Service, h.Check, h.Status, int(h.LatencyMS))
	if h.Code != 0 {
		what = fmt.Sprintf("%s %s %s %d, %d ms", h.Service, h.Check, h.Status, h.Code, int(h.LatencyMS))
	}
	return entry{at: h.Time(), icon: "  ", text: because(what, h.Error), tint: faint}
}

// record prints a record, or what it says.
func (t *tailer) record(value []byte, said entry) {
	if t.json {
		fmt.Fprintf(t.out, "%s\n", value)
		return
	}
	t.print(said)
}

func (t *tailer) print(said entry) {
	if t.json || said.text == "" || said.logOnly {
		return
	}
	_, _ = io.WriteString(t.out, said.render(t.color)) // a closed output needs no error
}
