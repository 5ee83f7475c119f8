package notify

import (
	"strings"
	"testing"
	"time"
)

// TestForeignTextIsNoMarkup: what a monitored program or a proposer writes mentions
// no one in a chat, and hides no address; the operator's own template may.
func TestForeignTextIsNoMarkup(t *testing.T) {
	const hostile = "<!channel> @everyone <@&123> <https://evil.test|Approve> [Approve](https://evil.test) [Approve][1]"
	own := Templates{Approval: "<@&42> **{{.Service}}** [page](https://ours.test)\n{{.Error}} {{.Cause}} {{.Command}} {{.Reason}} {{.Cost}} {{.Undo}}"}
	for _, url := range []string{"slack://hook:AAAAAAAAA-BBBBBBBBB-123456789123456789123456@webhook", "discord://hunter2hunter2@123456789",
		"Slack+x://y", "mattermost://chat.test/token", "teams://x"} {
		for _, templates := range []Templates{nil, own} {
			r := Receiver{Name: "r", URL: url, Templates: templates}
			n := notifier(t, Config{Receivers: []Receiver{r}})
			one := Note{Event: Approval, Service: "web", Incident: "in-1", Error: hostile, Cause: hostile, Command: hostile, Reason: hostile, Cost: hostile, Undo: hostile}
			m := n.message(r, one, time.Now())
			said := m.Title + "\n" + m.Text
			for _, bad := range []string{"<!", "@everyone", "@&123", "<https", "](https://evil", "][1]"} {
				if strings.Contains(said, bad) {
					t.Errorf("%s: %q is in %q", url, bad, said)
				}
			}
			if templates != nil && m.Title != "<@&42> **web** [page](https://ours.test)" {
				t.Errorf("%s: the template's own markup: %q", url, m.Title)
			}
			if got := m.JSON.(body).Note.Reason; got != hostile {
				t.Errorf("%s: the note is %q", url, got)
			}
			summary := n.message(r, Note{Event: Summary, Lines: []string{hostile}, items: []Note{{Event: Lost, Part: "Docker", What: hostile}}}, time.Now())
			if strings.Contains(summary.Title+summary.Text, "@everyone") || strings.Contains(summary.Text, "<") {
				t.Errorf("%s: %q", url, summary.Text)
			}
		}
	}
	for _, url := range []string{"ntfy://ntfy.sh/topic", "telegram://1:a@telegram?chats=1", "smtp://h/?from=a@b.test&to=c@d.test", "https://h.test/x"} {
		r := Receiver{Name: "r", URL: url}
		if m := notifier(t, Config{Receivers: []Receiver{r}}).message(r, Note{Event: Approval, Service: "web", Reason: "latency < 5 ms"}, time.Now()); !strings.Contains(m.Text, "latency < 5 ms") {
			t.Errorf("%s: %q", url, m.Text)
		}
	}
}
