package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestReceiversAreListedWithoutTheirAddress(t *testing.T) {
	n := &Notifier{deps: Deps{Config: Config{Receivers: []Receiver{
		{URL: "ntfy://ntfy.test/secret-topic"},
		{Name: "ops", URL: "https://user:secret@hooks.test/secret", Authorization: "secret", Secret: "secret", On: []string{Escalated}, Groups: []string{"shop"}},
	}}}}
	got := n.Receivers()
	if len(got) != 2 || got[0].Name != "ntfy" || got[0].Kind != "ntfy" || !slices.Equal(got[0].On, defaultOn) || got[0].Groups == nil ||
		got[1].Name != "ops" || got[1].Kind != "webhook" || !slices.Equal(got[1].On, []string{Escalated}) || !slices.Equal(got[1].Groups, []string{"shop"}) {
		t.Errorf("%+v", got)
	}
	if said := fmt.Sprint(got); strings.Contains(said, "secret") || strings.Contains(said, "test/") {
		t.Errorf("an address is listed: %s", said)
	}
}
