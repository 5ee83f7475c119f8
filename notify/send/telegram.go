package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// telegram sends through a bot. shoutrrr (v0.13.2) reports a bot that it cannot
// reach as success, so that the message would be lost; it also has no buttons.
// The form of the address is shoutrrr's.
type telegram struct {
	token   string
	chats   []string // an id or @channel, and : with a topic's id
	silent  bool
	preview bool
	done    []string // chats that have the message which is sent now
	title   string   // of that message
}

var botToken = regexp.MustCompile(`^\d+:[A-Za-z0-9_-]+$`)

func newTelegram(u *url.URL) (*telegram, error) {
	password, _ := u.User.Password()
	t := &telegram{token: u.User.Username() + ":" + password}
	if !botToken.MatchString(t.token) {
		return nil, errors.New("has no bot token")
	}
	for key, values := range u.Query() {
		value := values[0]
		yes := !slices.Contains([]string{"no", "false", "0"}, strings.ToLower(value))
		switch strings.ToLower(key) {
		case "chats", "channels":
			t.chats = strings.Split(value, ",")
		case "notification":
			t.silent = !yes
		case "preview":
			t.preview = yes
		case "parsemode", "title":
		default:
			return nil, fmt.Errorf("has the unknown setting %q; use chats, notification and preview", key)
		}
	}
	t.chats = slices.DeleteFunc(t.chats, func(chat string) bool { return strings.TrimSpace(chat) == "" })
	if len(t.chats) == 0 {
		return nil, errors.New("has no chat: add ?chats= with a chat's id, or @ and a channel's name")
	}
	return t, nil
}

type telegramMessage struct {
	Chat     string            `json:"chat_id"`
	Thread   int               `json:"message_thread_id,omitempty"`
	Text     string            `json:"text"`
	Silent   bool              `json:"disable_notification"`
	Preview  map[string]bool   `json:"link_preview_options"`
	Keyboard *telegramKeyboard `json:"reply_markup,omitempty"`
}

type telegramKeyboard struct {
	Rows [][]telegramButton `json:"inline_keyboard"`
}

type telegramButton struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// send sends to every chat. After a failure the same message goes on with the
// chats that do not have it.
func (t *telegram) send(ctx context.Context, m Message) error {
	if m.Title != t.title {
		t.title, t.done = m.Title, nil
	}
	for _, chat := range t.chats {
		if slices.Contains(t.done, chat) {
			continue
		}
		err := t.sendTo(ctx, chat, m, true)
		var no refusal
		if errors.As(err, &no) && no.status == http.StatusBadRequest && len(m.Actions) > 0 {
			err = t.sendTo(ctx, chat, m, false) // it refuses buttons to addresses that only a home network has
		}
		if err != nil {
			return err
		}
		t.done = append(t.done, chat)
	}
	t.title, t.done = "", nil
	return nil
}

func (t *telegram) sendTo(ctx context.Context, chat string, m Message, buttons bool) error {
	id, topic, _ := strings.Cut(strings.TrimSpace(chat), ":")
	thread, _ := strconv.Atoi(topic) // 0: none
	out := telegramMessage{Chat: id, Thread: thread, Text: m.whole(), Silent: t.silent || m.Quiet, Preview: map[string]bool{"is_disabled": !t.preview}}
	if buttons && len(m.Actions) > 0 {
		out.Text = strings.TrimSpace(m.Title + "\n" + m.body(nil))
		out.Keyboard = &telegramKeyboard{}
		for pair := range slices.Chunk(m.Actions, 2) {
			var row []telegramButton
			for _, a := range pair {
				row = append(row, telegramButton{a.Label, a.URL})
			}
			out.Keyboard.Rows = append(out.Keyboard.Rows, row)
		}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	answer, err := post(ctx, "https://api.telegram.org/bot"+t.token+"/sendMessage", http.Header{}, body)
	if err != nil {
		return err
	}
	var said struct {
		OK          bool   `json:"ok"`
		Description string `json:"description"`
	}
	if json.Unmarshal(answer, &said) != nil || !said.OK {
		return fmt.Errorf("refused it: %s", said.Description)
	}
	return nil
}
