// Package send delivers one message to one address: through shoutrrr, and by
// itself where shoutrrr has no way (webhooks with a signature) or loses messages
// (Telegram, whose failures to connect it reports as success). It decides nothing
// and remembers nothing but what is under way.
//
// What holds of it:
//
//   - Send returns within its context, whatever the receiver does. Services of
//     shoutrrr take no context: one that hangs is left behind, and at most
//     maxBehind of them.
//   - No error that is returned holds anything of the address, or of a link in the
//     message.
package send

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"logstream/internal/redact"
	"logstream/internal/text"
)

// Target is where to send to.
type Target struct {
	URL           string
	Authorization string // of a webhook: the header
	Secret        string // of a webhook: signs the body
}

// IsWebhook says whether JSON is posted to the address itself.
func (t Target) IsWebhook() bool {
	kind := t.scheme()
	return kind == "http" || kind == "https"
}

func (t Target) scheme() string {
	kind, _, _ := strings.Cut(t.URL, ":")
	return strings.ToLower(kind)
}

// Message is what is sent.
type Message struct {
	Title   string // one line
	Text    string
	Urgent  bool     // rings where the receiver knows urgency
	Quiet   bool     // does not
	Click   string   // the page about it, or empty
	Actions []Action // what a person may do about it from where it is read
	JSON    any      // the same for a webhook
}

// Action is one thing that a person may do, by opening an address.
type Action struct {
	Command string `json:"command"` // approve, deny, silence or hold
	Label   string `json:"label"`
	URL     string `json:"url"`
}

// maxText is how many bytes of text are sent: what Telegram takes, and ntfy.
const maxText = 3500

// whole is title, text and links, for receivers without any of these.
func (m Message) whole() string { return strings.TrimSpace(m.Title + "\n" + m.body(m.Actions)) }

// body is the text, and the links of what has no button.
func (m Message) body(links []Action) string {
	var b strings.Builder
	b.WriteString(text.Clip(m.Text, maxText))
	if m.Click != "" {
		b.WriteString("\n" + m.Click)
	}
	for _, a := range links {
		fmt.Fprintf(&b, "\n%s: %s", a.Label, a.URL)
	}
	return strings.TrimSpace(b.String())
}

// way is how one kind of receiver is sent to.
type way interface {
	send(ctx context.Context, m Message) error
}

// Sender sends to one target. It is not safe for concurrent use.
type Sender struct {
	way     way
	secrets []string
}

// Check says what is wrong with a target as far as can be seen without sending.
func Check(t Target) error {
	_, err := New(t)
	return err
}

// examples are valid urls, by their scheme.
var examples = map[string]string{
	"http":     "http://example.com/hook",
	"https":    "https://example.com/hook",
	"telegram": "telegram://123456:ABC-token@telegram?chats=@my_channel",
	"ntfy":     "ntfy://ntfy.sh/my-topic",
	"discord":  "discord://token@webhook-id",
	"slack":    "slack://hook:AAAAAAAAA-BBBBBBBBB-CCCCCCCCCCCCCCCCCCCCCCCC@webhook",
	"smtp":     "smtp://user:password@smtp.example.com:587/?from=logstream@example.com&to=me@example.com",
}

// New is a sender to t; an error says what is wrong with its address, and holds
// nothing of it.
func New(t Target) (*Sender, error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("is not a url such as ntfy://ntfy.sh/my-topic; characters such as @ : / in a password must be escaped")
	}
	s := &Sender{secrets: secretsOf(t, u)}
	switch t.scheme() {
	case "http", "https":
		s.way, err = newWebhook(t, u)
	case "telegram":
		s.way, err = newTelegram(u)
	default:
		s.way, err = newShoutrrr(t.URL, u)
	}
	if err != nil {
		why := text.Line(redact.Known(err.Error(), s.secrets...))
		if example := examples[t.scheme()]; example != "" { // not masked: it has nothing of the address
			why += "; for example " + example
		}
		return nil, errors.New(why)
	}
	return s, nil
}

// Send sends, within ctx.
func (s *Sender) Send(ctx context.Context, m Message) error {
	m.Title = text.Line(m.Title)
	return s.masked(s.way.send(ctx, m), m)
}

// masked is err without what its texts repeat of the address, and of the links in
// m: who reads why a message failed may do less than they permit.
func (s *Sender) masked(err error, m Message) error {
	if err == nil {
		return nil
	}
	var links []string
	for _, a := range m.Actions {
		links = append(links, a.URL, path.Base(a.URL))
	}
	return errors.New(redact.Text(text.Short(redact.Known(err.Error(), slices.Concat(longest(links), s.secrets)...))))
}

// secretsOf is everything in an address that may be a secret: all but the names
// of its kind and host, where the host is one.
func secretsOf(t Target, u *url.URL) []string {
	all := []string{t.URL, t.Authorization, t.Secret, u.User.String(), u.RawQuery}
	if password, is := u.User.Password(); is {
		all = append(all, password)
	}
	all = append(all, u.User.Username())
	if !strings.ContainsAny(u.Host, ".:") && u.Host != "localhost" && u.Host != u.Scheme {
		all = append(all, u.Host) // an id, as Discord's
	}
	all = append(all, strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		all = append(all, values...)
	}
	return longest(all)
}

// client sends what is not sent through shoutrrr, or where that takes one. The
// address is the operator's own, so that no proxy or redirect is needed to reach it.
var client = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}
