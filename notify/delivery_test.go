package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/link"
	"logstream/notify/send"
)

func deadline(t *testing.T) <-chan time.Time {
	timer := time.NewTimer(time.Minute)
	t.Cleanup(func() { timer.Stop() })
	return timer.C
}

// notifier is one that has a page and a key.
func notifier(t *testing.T, c Config) *Notifier {
	t.Helper()
	n, err := New(Deps{Config: c, Identity: event.Origin{Instance: "a", Host: "h"}, PublicURL: "https://status.test/logstream/", Key: []byte("a secret of sixteen"),
		Health: &health.Registry{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// delivered is a message in the words of its receiver.
type delivered struct {
	title, text string
	buttons     map[string]string // addresses by label
}

// linkLines takes the links out of a text.
var linkLine = regexp.MustCompile(`(?m)^(Approve|Deny|Silence 1h|Hold 1h): (\S+)$`)

func (d *delivered) links() {
	for _, found := range linkLine.FindAllStringSubmatch(d.text, -1) {
		d.buttons[found[1]] = found[2]
	}
}

// TestEachReceiverGetsEachKind sends a message of each event to each receiver,
// and reads there what arrived.
func TestEachReceiverGetsEachKind(t *testing.T) {
	ntfy, hook := &site{}, &site{}
	telegram, discord, slack := at(t, "api.telegram.org"), at(t, "discord.com"), at(t, "hooks.slack.com")
	telegram.set(func(got) (int, string) { return 200, `{"ok":true,"result":{"message_id":1}}` })
	discord.set(func(got) (int, string) { return 204, "" })
	slack.set(func(got) (int, string) { return 200, "ok" })
	mail, mailAt := mailServer(t)
	for _, tt := range []struct {
		site   *site
		target Receiver
		read   func(t *testing.T, g got) delivered
	}{
		{ntfy, Receiver{Name: "ntfy", URL: "ntfy://ann:hunter2@" + serve(t, ntfy) + "/my-topic?scheme=http"}, func(t *testing.T, g got) delivered {
			if g.path != "/my-topic" || g.header.Get("Authorization") != "Basic YW5uOmh1bnRlcjI=" {
				t.Errorf("%s %v", g.path, g.header)
			}
			d := delivered{g.header.Get("Title"), g.body + "\n" + g.header.Get("Click"), map[string]string{}}
			for _, action := range strings.Split(g.header.Get("Actions"), ";") {
				if parts := strings.Split(action, ", "); len(parts) == 4 && parts[0] == "view" && parts[3] == "clear=true" {
					d.buttons[parts[1]] = parts[2]
				} else if action != "" {
					t.Errorf("ntfy cannot read the action %q", action)
				}
			}
			if len(d.buttons) > 3 {
				t.Errorf("ntfy refuses %d actions", len(d.buttons))
			}
			return d
		}},
		{telegram, Receiver{Name: "telegram", URL: "telegram://123456:ABC-def@telegram?chats=@ops,-1001:7"}, func(t *testing.T, g got) delivered {
			o := g.object(t)
			if g.path != "/bot123456:ABC-def/sendMessage" || o["chat_id"] != "@ops" && (o["chat_id"] != "-1001" || o["message_thread_id"] != 7.0) {
				t.Errorf("%s %v", g.path, o)
			}
			title, text, _ := strings.Cut(o["text"].(string), "\n")
			d := delivered{title, text, map[string]string{}}
			if keyboard, is := o["reply_markup"].(map[string]any); is {
				for _, row := range keyboard["inline_keyboard"].([]any) {
					for _, button := range row.([]any) {
						b := button.(map[string]any)
						d.buttons[b["text"].(string)] = b["url"].(string)
					}
				}
			}
			return d
		}},
		{discord, Receiver{Name: "discord", URL: "discord://hunter2hunter2@123456789"}, func(t *testing.T, g got) delivered {
			if g.path != "/api/webhooks/123456789/hunter2hunter2" {
				t.Error(g.path)
			}
			d := delivered{buttons: map[string]string{}}
			for _, e := range g.object(t)["embeds"].([]any) {
				of := e.(map[string]any)
				if title, is := of["title"].(string); is {
					d.title += title
				}
				if text, is := of["description"].(string); is {
					d.text += text + "\n"
				}
			}
			return d
		}},
		{slack, Receiver{Name: "slack", URL: "slack://hook:AAAAAAAAA-BBBBBBBBB-123456789123456789123456@webhook"}, func(t *testing.T, g got) delivered {
			o := g.object(t)
			if g.path != "/services/AAAAAAAAA/BBBBBBBBB/123456789123456789123456" {
				t.Error(g.path)
			}
			d := delivered{o["text"].(string), "", map[string]string{}}
			for _, a := range o["attachments"].([]any) {
				d.text += a.(map[string]any)["text"].(string) + "\n"
			}
			return d
		}},
		{mail, Receiver{Name: "mail", URL: "smtp://" + mailAt + "/?from=logstream@home.test&to=ann@home.test&starttls=no"}, func(t *testing.T, g got) delivered {
			subject, err := new(mime.WordDecoder).DecodeHeader(g.header.Get("Subject"))
			if err != nil || g.path != "logstream@home.test ann@home.test " || !strings.HasPrefix(g.header.Get("Content-Type"), "text/plain") {
				t.Errorf("%v %s %v", err, g.path, g.header)
			}
			return delivered{subject, g.body, map[string]string{}}
		}},
		{hook, Receiver{Name: "webhook", URL: "http://" + serve(t, hook) + "/hook?key=1", Authorization: "Bearer hunter2hunter2", Secret: "shared"}, func(t *testing.T, g got) delivered {
			o, mac := g.object(t), hmac.New(sha256.New, []byte("shared"))
			mac.Write([]byte(g.body))
			if g.path != "/hook" || g.header.Get("Authorization") != "Bearer hunter2hunter2" || g.header.Get(send.SignatureHeader) != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
				t.Errorf("%s %v", g.path, g.header)
			}
			if o["host"] != "h" || o["instance"] != "a" || o["event"] == "" || o["severity"] == "" {
				t.Errorf("the body lacks something: %s", g.body)
			}
			d := delivered{o["title"].(string), fmt.Sprintf("%s\n%s", o["text"], o["link"]), map[string]string{}}
			for _, a := range o["actions"].([]any) {
				d.buttons[a.(map[string]any)["label"].(string)] = a.(map[string]any)["url"].(string)
			}
			return d
		}},
	} {
		t.Run(tt.target.Name, func(t *testing.T) {
			n := notifier(t, Config{Receivers: []Receiver{tt.target}})
			to := &receiver{Receiver: tt.target}
			before := 0
			for _, on := range append(slices.Clone(Events), Summary, testOf) {
				note := example(on)
				note.Host, note.approval, note.Expires = "h", 9, time.Now().Add(time.Hour)
				if !slices.Contains([]string{Opened, Escalated, Resolved, Approval}, on) {
					note.Incident = ""
				}
				if err := to.send(t.Context(), n.message(tt.target, note, time.Now())); err != nil {
					t.Fatalf("%s: %v", on, err)
				}
				arrived := tt.site.await(t, before+1)
				d := tt.read(t, arrived[before])
				before = len(arrived)
				d.links()
				title, text := n.texts[tt.target.Name].say(note)
				if d.title != title {
					t.Errorf("%s: the title is %q, not %q", on, d.title, title)
				}
				for line := range strings.Lines(text) {
					if !strings.Contains(d.text, strings.TrimSpace(line)) {
						t.Errorf("%s: %q is not in %q", on, line, d.text)
					}
				}
				if page := n.links.page(note); !strings.Contains(d.text, page) {
					t.Errorf("%s: no link to %s: %q", on, page, d.text)
				}
				holdsLinks(t, on, d.buttons, note)
			}
		})
	}
}

// holdsLinks compares the links of a message with what an event permits.
func holdsLinks(t *testing.T, on string, buttons map[string]string, note Note) {
	t.Helper()
	want := map[string][]string{Approval: {"Approve", "Deny", "Silence 1h", "Hold 1h"}, Escalated: {"Silence 1h", "Hold 1h"}, Opened: {"Silence 1h", "Hold 1h"}}[on]
	if len(buttons) != len(want) {
		t.Errorf("%s: the links are %v, want %v", on, buttons, want)
	}
	signer := link.New([]byte("a secret of sixteen"))
	for _, label := range want {
		token, is := strings.CutPrefix(buttons[label], "https://status.test/logstream/act/")
		of, err := signer.Read(token, time.Now())
		if !is || err != nil || of.Command != strings.ToLower(strings.Fields(label)[0]) || of.Service != note.Service || of.Incident != note.Incident || of.Host != "h" {
			t.Errorf("%s: the link of %s is %+v, %v", on, label, of, err)
		}
		if answers := label == "Approve" || label == "Deny"; answers && of.Approval != "9" || !answers && of.For != time.Hour {
			t.Errorf("%s: the link of %s is %+v", on, label, of)
		}
	}
}

// TestWhatAReceiverAnswersIsAnError: none of these is success, whatever the
// library holds it for, and no error holds a secret.
func TestWhatAReceiverAnswersIsAnError(t *testing.T) {
	const secret = "hunter2hunter2"
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := closed.Addr().String()
	closed.Close()
	failing := &site{}
	failing.set(func(got) (int, string) { return 500, "no " + secret })
	moved := serve(t, failing)
	for _, host := range []string{"api.telegram.org", "discord.com", "hooks.slack.com"} {
		at(t, host).set(func(got) (int, string) { return 500, "no" })
	}
	mail, mailAt := mailServer(t)
	mail.set(func(got) (int, string) { return 500, "" })
	for _, url := range []string{
		"http://" + nowhere + "/" + secret, "http://" + moved + "/" + secret, "ntfy://" + nowhere + "/" + secret + "?scheme=http", "ntfy://" + moved + "/" + secret + "?scheme=http",
		"telegram://123456:" + secret + "@telegram?chats=1", "discord://" + secret + "@123456789", "slack://hook:AAAAAAAAA-BBBBBBBBB-123456789123456789123456@webhook",
		"smtp://ann:" + secret + "@" + nowhere + "/?from=a@b.test&to=c@d.test", "smtp://" + mailAt + "/?from=a@b.test&to=c@d.test&starttls=no",
		"gotify://" + nowhere + "/Ahwbsdyhwwgarxd?disabletls=yes",
	} {
		n := notifier(t, Config{Receivers: []Receiver{{Name: "r", URL: url}}})
		err := (&receiver{Receiver: Receiver{URL: url}}).send(t.Context(), n.message(Receiver{Name: "r"}, example(Resolved), time.Now()))
		kind, _, _ := strings.Cut(url, ":")
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "123456789123456789") || strings.Contains(err.Error(), "Ahwbsdyhwwgarxd") {
			t.Errorf("%s: %v", kind, err)
		} else {
			t.Logf("%s: %v", kind, err)
		}
	}
}

// TestAnErrorHoldsNoLink: a receiver may repeat in its answer what it was sent, and
// viewers read why a message failed; the links in it would let them approve.
func TestAnErrorHoldsNoLink(t *testing.T) {
	failing := &site{}
	failing.set(func(g got) (int, string) {
		links := regexp.MustCompile(`https://[^"\s,]*/act/[^"\s,]*`).FindAllString(g.body+" "+g.header.Get("Actions"), -1)
		return 400, strings.Join(links[:1], " ") + " is not allowed, nor " + strings.TrimPrefix(links[0], "https://status.test/logstream/act/")
	})
	away := serve(t, failing)
	for _, url := range []string{"http://" + away + "/hook", "ntfy://" + away + "/my-topic?scheme=http"} {
		n := notifier(t, Config{Receivers: []Receiver{{Name: "r", URL: url}}})
		m := n.message(Receiver{Name: "r", URL: url}, example(Approval), time.Now())
		err := (&receiver{Receiver: Receiver{URL: url}}).send(t.Context(), m)
		token := m.Actions[0].URL[strings.LastIndex(m.Actions[0].URL, "/")+1:]
		if err == nil || strings.Contains(err.Error(), token[:20]) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestOneThatHangsIsLeftBehind: whatever library sends.
func TestOneThatHangsIsLeftBehind(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, url := range []string{"http://" + listener.Addr().String(), "smtp://" + listener.Addr().String() + "/?from=a@b.test&to=c@d.test"} {
		to, err := send.New(send.Target{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			err = to.Send(ctx, send.Message{Title: "a", JSON: 1})
			cancel()
			if err == nil {
				t.Fatal("no error")
			}
		}
		if strings.HasPrefix(url, "smtp") != strings.Contains(err.Error(), "earlier messages still wait") {
			t.Errorf("after many: %v", err)
		}
	}
}

func TestTelegramRefusesTheButtons(t *testing.T) {
	telegram := at(t, "api.telegram.org")
	telegram.set(func(g got) (int, string) {
		if strings.Contains(g.body, "inline_keyboard") {
			return 400, `{"ok":false,"description":"Bad Request: inline keyboard button URL is invalid"}`
		}
		return 200, `{"ok":true}`
	})
	n := notifier(t, Config{Receivers: []Receiver{{Name: "r"}}})
	to := &receiver{Receiver: Receiver{URL: "telegram://1:abc@telegram?chats=1"}}
	note := example(Escalated)
	if err := to.send(t.Context(), n.message(Receiver{Name: "r"}, note, time.Now())); err != nil {
		t.Fatal(err)
	}
	d := delivered{text: telegram.await(t, 1)[0].object(t)["text"].(string), buttons: map[string]string{}}
	d.links()
	holdsLinks(t, Escalated, d.buttons, note)
}

func TestAWebhookIsNotRedirected(t *testing.T) {
	moved := serve(t, http.RedirectHandler("http://example.com/", http.StatusFound))
	to, err := send.New(send.Target{URL: "http://" + moved})
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Send(t.Context(), send.Message{JSON: json.RawMessage(`{}`)}); err == nil || !strings.Contains(err.Error(), "redirect, which is not followed") {
		t.Errorf("got %v", err)
	}
}
