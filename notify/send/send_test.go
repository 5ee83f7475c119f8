package send

import (
	"strings"
	"testing"
)

// TestAWrongURLIsAnsweredWithAValidOne has the example whole, whatever the wrong url
// shares with it, and nothing of the address.
func TestAWrongURLIsAnsweredWithAValidOne(t *testing.T) {
	for kind, example := range examples {
		if err := Check(Target{URL: example}); err != nil || !strings.HasPrefix(example, kind+"://") {
			t.Errorf("%s: %v", example, err)
		}
	}
	for url, want := range map[string]string{
		"https://":                     "has no host; for example https://example.com/hook",
		"https:///example.com/s3cret!": "has no host; for example https://example.com/hook",
		"http://":                      "has no host; for example http://example.com/hook",
		"ntfy://ntfy.sh/":              "is not a valid url of ntfy; for example ntfy://ntfy.sh/my-topic",
		"ntfy://":                      "is not a valid url of ntfy; for example ntfy://ntfy.sh/my-topic",
		"discord://s3cret!":            "is not a valid url of discord; for example discord://token@webhook-id",
		"slack://s3cret!@webhook":      "is not a valid url of slack; for example " + examples["slack"],
		"smtp://me:s3cret!@h:25":       "is not a valid url of smtp; for example " + examples["smtp"],
		"telegram://s3cret!@telegram":  "has no bot token; for example " + examples["telegram"],
		"telegram://1:s3cret@telegram": "has no chat: add ?chats= with a chat's id, or @ and a channel's name; for example " + examples["telegram"],
		"pushover://s3cret!":           "is not a valid url of pushover; the form of its urls is at https://shoutrrr.nickfedor.com",
	} {
		if err := Check(Target{URL: url}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
}
