package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"logstream/internal/config"
	"logstream/internal/event"
)

const (
	callWithin   = 15 * time.Second
	answerWithin = 15 * time.Second       // for the result of a command
	resultEvery  = 100 * time.Millisecond // between two reads of it
	maxAnswer    = 32 << 20               // bytes
)

// client calls the API of a logstream that runs.
type client struct {
	base   *url.URL
	token  string
	trust  *tls.Config // nil: this machine's authorities
	http   *http.Client
	within time.Duration // of one call; 0: callWithin
}

// clientOf adds the flags of a command that goes through the API, and returns
// what makes its client once they are read. Without --url it is the dashboard of
// the configuration; without LOGSTREAM_TOKEN and LOGSTREAM_TOKEN_FILE its token.
func clientOf(cmd *cobra.Command) func() (client, error) {
	given := cmd.Flags().String("url", "", "the `address` of LogStream's dashboard (default: dashboard.listen of the configuration, or http://127.0.0.1:5000)")
	ca := cmd.Flags().String("ca", "", "a `file` with the certificate authorities to trust for the dashboard (default: this machine's)")
	_ = cmd.MarkFlagFilename("ca", "pem", "crt") // it is a flag
	return func() (client, error) {
		c := client{http: http.DefaultClient}
		if err := c.credentials(*ca); err != nil {
			return c, usageFailure(cmd, "%s", err)
		}
		address := *given
		if address == "" {
			address = "http://127.0.0.1:5000"
			loaded, report := config.Load(configPath(cmd))
			if len(report.Errors) > 0 && cmd.Flag("config").Changed { // a hold must work beside a wrong config.yaml
				printFindings(cmd, report.Errors)
				return c, startupFailure{errPrinted}
			}
			if len(report.Errors) == 0 {
				address = loaded.Dashboard.URL(dialable(loaded.Dashboard.Listen))
				if cert := loaded.Dashboard.TLS.Cert; cert != "" && *ca == "" {
					c.trusts(ofFile(cert))
				}
				if c.token == "" {
					c.token = loaded.Dashboard.Token
				}
			}
		}
		base, err := url.Parse(address)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return c, usageFailure(cmd, "--url must be an address such as http://127.0.0.1:5000, not %s", quoted(address))
		}
		c.base = base
		return c, nil
	}
}

// credentials takes the token from the environment, or from the file that it
// names, and the authorities from the file ca, if one is given.
func (c *client) credentials(ca string) error {
	c.token = os.Getenv("LOGSTREAM_TOKEN")
	if file := os.Getenv("LOGSTREAM_TOKEN_FILE"); c.token == "" && file != "" {
		token, err := config.ReadSecret(file)
		if err != nil {
			return fmt.Errorf("LOGSTREAM_TOKEN_FILE: %q %w", file, err)
		}
		c.token = token
	}
	if ca == "" {
		return nil
	}
	trust, err := ofAuthorities(ca)
	if err != nil {
		return fmt.Errorf("--ca: %w", err)
	}
	c.trusts(trust)
	return nil
}

// dialable is the address at which what listens there is reached from this machine.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// apiError is what the API answered instead of doing it.
type apiError struct {
	status int
	why    string
}

func (e apiError) Error() string { return e.why }

// call makes one call of the API. body nil sends none; into nil drops the answer.
func (c client) call(ctx context.Context, method string, path []string, query url.Values, body, into any) error {
	address := c.base.JoinPath("api", "v1")
	for _, part := range path {
		address = address.JoinPath(url.PathEscape(part))
	}
	address.RawQuery = query.Encode()
	return c.send(ctx, method, address, body, into)
}

// ready is nil while GET /readyz answers 200, else why it does not.
func (c client) ready(ctx context.Context) error {
	return c.send(ctx, http.MethodGet, c.base.JoinPath("readyz"), nil, nil)
}

func (c client) send(ctx context.Context, method string, address *url.URL, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.within, callWithin))
	defer cancel()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, address.String(), content)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("LogStream does not answer at %s: %w; start it with logstream run, or give its address with --url", c.base, cause(err))
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the answer of %s ended early: %w", c.base, cause(err))
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return refused4xx(resp, all)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(all, into); err != nil {
		return fmt.Errorf("the program at %s is not LogStream; give LogStream's address with --url", c.base)
	}
	return nil
}

// refused4xx is what a call was refused for.
func refused4xx(resp *http.Response, body []byte) error {
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		return apiError{resp.StatusCode, "it answers " + resp.Status}
	}
	if resp.StatusCode == http.StatusUnauthorized {
		said.Error = "a valid token is required: set LOGSTREAM_TOKEN to dashboard.token of config.yaml or to one of dashboard.tokens, or LOGSTREAM_TOKEN_FILE to a file with it"
	}
	return apiError{resp.StatusCode, printable(said.Error)}
}

// cause is what made a call fail, without the address that a person has seen.
func cause(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// execute sends a command, and waits for what became of it.
func (c client) execute(ctx context.Context, method string, path []string, body any) (event.Command, error) {
	var sent struct {
		Command string `json:"command"`
	}
	if err := c.call(ctx, method, path, nil, body, &sent); err != nil {
		return event.Command{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	tick := time.NewTicker(resultEvery)
	defer tick.Stop()
	for {
		var command event.Command
		err := c.call(ctx, http.MethodGet, []string{"commands", sent.Command}, nil, nil, &command)
		switch {
		case err != nil && ctx.Err() == nil:
			return command, err
		case err == nil && command.Result != nil && !command.Result.OK:
			return command, errors.New(printable(strings.TrimPrefix(command.Result.Error, command.Command+": ")))
		case err == nil && command.Result != nil:
			return command, nil
		}
		select {
		case <-ctx.Done():
			return command, fmt.Errorf("the command is recorded as %s, and no instance has answered it within %s: check GET /api/v1/commands/%s before you repeat it", sent.Command, answerWithin, sent.Command)
		case <-tick.C:
		}
	}
}

// finish prints what a command has done, as a sentence or as its record.
func finish(cmd *cobra.Command, asJSON bool, done event.Command, err error, format string, args ...any) error {
	answer := new(apiError)
	switch {
	case errors.As(err, answer) && (answer.status == http.StatusBadRequest || answer.status == http.StatusNotFound):
		return usageFailure(cmd, "%s", answer.why) // such as a service that there is not
	case err != nil:
		return fmt.Errorf("%s: %w", cmd.Name(), err)
	}
	if asJSON {
		_ = json.NewEncoder(cmd.OutOrStdout()).Encode(done) // a closed output needs no error
		return nil
	}
	fmt.Fprintln(cmd.OutOrStdout(), printable(fmt.Sprintf(format, args...)))
	return nil
}
