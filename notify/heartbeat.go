package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"logstream/internal/retry"
)

const (
	beatEach   = time.Minute
	beatWithin = 10 * time.Second
	beatAgain  = 10 * time.Second // after one that failed
	beatLook   = time.Second      // how often it is tried whether we are healthy again
)

// beat calls the heartbeat's address each minute while this instance owns its
// host and is healthy. When it no longer does, what is called there says so.
func (n *Notifier) beat(ctx context.Context) error {
	client := &http.Client{Timeout: beatWithin}
	for {
		wait := beatLook
		if _, owns := n.deps.Owner(); owns && n.deps.Healthy(ctx) == nil {
			err := call(ctx, client, n.deps.Config.Heartbeat)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			n.status.set("heartbeat", err)
			if wait = beatEach; err != nil {
				wait = beatAgain
				n.log.Warn("heartbeat failed; retrying", "error", err, "in", wait)
			}
		}
		if !retry.Sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

// call gets an address. An error holds nothing of it, which is a secret.
func call(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("is not a valid address")
	}
	request.Header.Set("User-Agent", "LogStream")
	response, err := client.Do(request)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err
		}
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return nil
}
