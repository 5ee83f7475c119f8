package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/link"
)

// TestPageOfALinkSaysWhatTheHealerDecided: another dashboard may have taken an answer to
// the same request in the same moment, and what this one recorded is then refused.
func TestPageOfALinkSaysWhatTheHealerDecided(t *testing.T) {
	for name, tt := range map[string]struct {
		result event.CommandResult
		status int
		says   []string
		not    string
	}{
		"executed": {event.CommandResult{OK: true}, http.StatusAccepted, []string{"Approved"}, "Nothing was done"},
		"refused": {event.CommandResult{Error: "approve: the request was denied already, by ada", Code: event.RefusedDuplicate}, http.StatusConflict,
			[]string{"Nothing was done", "LogStream refused it: the request was denied already, by ada."}, "Approved"},
	} {
		t.Run(name, func(t *testing.T) {
			s := linked(t)
			s.dash.limits.result = time.Minute
			l := linkTo(link.Approve)
			token := signer.Sign(l)
			answered := make(chan struct{})
			go func() { // as the healer does
				defer close(answered)
				for deadline := time.Now().Add(wait); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) { // between two reads
					for _, rec := range s.log.On(event.TopicCommands) {
						if c, err := event.DecodeCommand(rec.Value); err == nil && c.ID == linkCommand+l.ID {
							c.Result, c.Origin = &tt.result, origin
							s.log.Put(event.TopicCommands, c.Service, event.Encode(c), true, time.Now())
							return
						}
					}
				}
			}()
			status, page := s.press(token, nil)
			<-answered
			if status != tt.status {
				t.Errorf("the status is %d, want %d", status, tt.status)
			}
			contains(t, []byte(page), tt.says...)
			if strings.Contains(page, tt.not) {
				t.Errorf("it says %q: %s", tt.not, page)
			}
		})
	}
}

// TestPageOfALinkThatIsNotAnsweredClaimsNothing where no healer runs.
func TestPageOfALinkThatIsNotAnsweredClaimsNothing(t *testing.T) {
	s := linked(t)
	status, page := s.press(signer.Sign(linkTo(link.Deny)), nil)
	if status != http.StatusAccepted || strings.Contains(page, "Denied") {
		t.Errorf("%d %s", status, page)
	}
	contains(t, []byte(page), "Recorded, not executed yet", "Open this page again", "Show the result")
}

// TestALinkMayBeQuickerThanThePage: the message of a request is sent by another reader
// of the log, and is pressed before the page has read the request or its incident.
func TestALinkMayBeQuickerThanThePage(t *testing.T) {
	expires := time.Now().Add(time.Hour)
	for name, tt := range map[string]struct {
		incident, request string
		then              func(*site)
	}{
		"the request": {"x", "7", func(s *site) {
			s.incident("x", 6, "payment-service", event.Evidence{}, event.ByLogstream)
			s.incident("x", 7, "payment-service", event.ApprovalRequested{Action: "start", Target: "payment-service", Expires: expires}, event.ByGuard)
		}},
		"its incident": {"y", "2", func(s *site) {
			s.incident("y", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
			s.incident("y", 2, "payment-service", event.ApprovalRequested{Action: "start", Target: "payment-service", Expires: expires}, event.ByGuard)
		}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(name+", "+method, func(t *testing.T) {
				s := linked(t)
				s.dash.limits.result = 2 * time.Second // the page of POST waits it out: no healer answers
				l := linkTo(link.Deny)
				l.Incident, l.Approval = tt.incident, tt.request
				token := signer.Sign(l)
				written := make(chan struct{})
				time.AfterFunc(3*resultEvery/2, func() { tt.then(s); close(written) })
				if method == http.MethodPost {
					if status, page := s.confirm(token); status != http.StatusAccepted {
						t.Errorf("%d %s", status, page)
					}
				} else if resp, page := s.do("GET", actPath+token, "", nil); resp.StatusCode != http.StatusOK {
					t.Errorf("%d %s", resp.StatusCode, page)
				}
				<-written
			})
		}
	}
}
