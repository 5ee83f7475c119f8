// Package apiclient is a client of LogStream's own HTTP API, for the commands of
// the command line.
package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"logstream/internal/event"
	"logstream/internal/text"
)

const (
	callTimeout = 30 * time.Second
	lookEvery   = 100 * time.Millisecond // between two looks at a command's result
	maxAnswer   = 32 << 20               // bytes
	maxError    = 500                    // bytes
)

// Client calls the API of one instance.
type Client struct {
	url, token string
	http       http.Client
}

// New is a client of the instance whose page is at url, such as
// http://127.0.0.1:5000. Nothing is dialled.
func New(url, token string) *Client {
	return &Client{url: strings.TrimRight(url, "/"), token: token, http: http.Client{Timeout: callTimeout}}
}

// URL is the address of the page.
func (c *Client) URL() string { return c.url }

// StatusError is an answer that is no success.
type StatusError struct {
	Code    int
	Message string // the API's own sentence
}

func (e *StatusError) Error() string { return e.Message }

// UnreachableError says that nobody answered.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("LogStream is unreachable at %s: %v: start it with logstream run, or name its dashboard with --url", e.URL, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Get reads path, such as /services, into into.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

// Command posts a command and waits for its result. An error of the command
// itself is a CommandError.
func (c *Client) Command(ctx context.Context, path string, body any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the command: %w", err)
	}
	var accepted struct {
		Command string `json:"command"`
	}
	if err := c.call(ctx, http.MethodPost, path, sent, &accepted); err != nil {
		return err
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var command event.Command
		err := c.Get(ctx, "/commands/"+accepted.Command, &command)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case err == nil && command.Result != nil && command.Result.OK:
			return nil
		case err == nil && command.Result != nil:
			return &CommandError{command.Result.Error}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the command %s was recorded, and has no result yet: %w", accepted.Command, ctx.Err())
		}
	}
}

// CommandError is why a command was not carried out.
type CommandError struct{ Why string }

func (e *CommandError) Error() string { return cmp.Or(e.Why, "the command failed") }

func (c *Client) call(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.url+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the method and the address
		}
		return &UnreachableError{c.url, err}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return &UnreachableError{c.url, err}
	}
	if response.StatusCode >= 300 {
		var failure struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(answer, &failure) // what is no JSON has no sentence
		return &StatusError{response.StatusCode, text.Clip(text.Line(cmp.Or(failure.Error, response.Status)), maxError)}
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("the answer of %s%s is not LogStream's: %w", c.url, path, err)
	}
	return nil
}
