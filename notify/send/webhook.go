package send

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader has sha256= and the HMAC-SHA256 of the body, in hex, under the
// receiver's secret: the form that GitHub's webhooks have made usual.
const SignatureHeader = "X-LogStream-Signature-256"

const (
	maxAnswer = 64 << 10 // bytes that are read of one
	shortest  = 6        // of a secret that is masked wherever it stands
)

// webhook posts JSON.
type webhook struct {
	url                   string
	authorization, secret string
}

func newWebhook(t Target, u *url.URL) (webhook, error) {
	if u.Host == "" {
		return webhook{}, errors.New("has no host")
	}
	return webhook{u.String(), t.Authorization, t.Secret}, nil
}

func (w webhook) send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m.JSON)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	header := http.Header{}
	if w.authorization != "" {
		header.Set("Authorization", w.authorization)
	}
	if w.secret != "" {
		mac := hmac.New(sha256.New, []byte(w.secret))
		mac.Write(body)
		header.Set(SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	_, err = post(ctx, w.url, header, body)
	return err
}

// refusal is an answer that is none of the 2xx.
type refusal struct {
	status int
	body   string
}

// Error holds all of the answer: Sender.masked masks first, and shortens then.
func (r refusal) Error() string {
	said := fmt.Sprintf("answered %d %s", r.status, http.StatusText(r.status))
	if r.status >= 300 && r.status < 400 {
		said += ", a redirect, which is not followed: use the address that it leads to"
	}
	if r.body != "" {
		said += ": " + r.body
	}
	return said
}

// post posts JSON, and returns what was answered.
func post(ctx context.Context, to string, header http.Header, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "LogStream")
	response, err := client.Do(request)
	if err != nil {
		return nil, reached(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return answer, refusal{response.StatusCode, string(answer)}
	}
	if err != nil {
		return nil, fmt.Errorf("its answer ended early: %w", reached(err))
	}
	return answer, nil
}

// reached is a failure to reach without the address, which holds secrets.
func reached(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("did not answer in time")
	}
	return err
}

// longest are secrets that are long enough to be masked, the longest first: one
// may begin as another.
func longest(secrets []string) []string {
	for _, s := range slices.Clone(secrets) {
		if plain, err := url.PathUnescape(s); err == nil {
			secrets = append(secrets, plain, url.PathEscape(plain), url.QueryEscape(plain))
		}
	}
	secrets = slices.DeleteFunc(secrets, func(s string) bool { return len(s) < shortest })
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(secrets)
}
