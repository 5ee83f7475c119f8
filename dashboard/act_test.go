package dashboard

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"logstream/dashboard/access"
	"logstream/dashboard/public"
	"logstream/internal/event"
	"logstream/internal/link"
)

var signer = link.New([]byte("a secret of the bus"))

func withLinks(d *Deps) { d.Links = &signer }

// linkTo is a link about what waiting put on the log.
func linkTo(command string) link.Link {
	return link.Link{ID: link.NewID(), Command: command, Service: "payment-service", Incident: "x", Host: myHost, Approval: "5",
		For: 30 * time.Minute, Expires: time.Now().Add(10 * time.Minute)}
}

// asForm is a form as a browser sends it from our own page over plain HTTP.
func asForm(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }

var confirmField = regexp.MustCompile(`name="confirm" value="([^"]+)"`)

// linked is a site with links and without bounds on how often they are opened.
func linked(t *testing.T, records ...func(*site)) *site {
	s := serve(t, withLinks, append([]func(*site){(*site).claim, waiting}, records...)...)
	s.dash.limits.links.SetLimit(rate.Inf)
	s.dash.limits.wrongLinks.SetLimit(rate.Inf)
	s.dash.limits.link = access.NewEach[string](rate.Inf, 1)
	s.dash.limits.result = time.Millisecond // no healer answers
	return s
}

// press opens a link and sends the form of its page, with what edit changes.
func (s *site) press(token string, edit func(*http.Request)) (int, string) {
	s.t.Helper()
	_, page := s.do("GET", "/act/"+token, "", nil)
	field := confirmField.FindSubmatch(page)
	if field == nil {
		s.t.Fatalf("the page has no form: %s", page)
	}
	resp, body := s.do("POST", "/act/"+token, url.Values{"confirm": {string(field[1])}}.Encode(), func(r *http.Request) {
		asForm(r)
		if edit != nil {
			edit(r)
		}
	})
	return resp.StatusCode, string(body)
}

// confirm sends the form without opening the page.
func (s *site) confirm(token string) (int, string) {
	s.t.Helper()
	resp, body := s.do("POST", "/act/"+token, "confirm="+signer.Confirmation(token), asForm)
	return resp.StatusCode, string(body)
}

func (s *site) commands() []event.Command {
	s.t.Helper()
	var all []event.Command
	for _, rec := range s.log.On(event.TopicCommands) {
		c, err := event.DecodeCommand(rec.Value)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func TestLinkSaysWhatItDoesAndDoesItOnceConfirmed(t *testing.T) {
	for _, tt := range []struct {
		command string
		says    []string
		want    event.Command
	}{
		{link.Approve, []string{"Approve: restart payment-service?", "docker restart payment-service", "what is in memory", "cannot undo it", "The mode is approve"},
			event.Command{Service: "payment-service", Args: event.CommandArgs{Incident: "x", Request: 5}}},
		{link.Deny, []string{"Deny: restart payment-service?", "docker restart payment-service"},
			event.Command{Service: "payment-service", Args: event.CommandArgs{Incident: "x", Request: 5}}},
		{link.Silence, []string{"Silence payment-service for 30 minutes?"}, event.Command{Service: "payment-service", Args: event.CommandArgs{For: "30m0s"}}},
		{link.Hold, []string{"Hold all repairs?", "local"}, event.Command{Service: "*", Args: event.CommandArgs{For: "30m0s"}}},
	} {
		s := linked(t)
		l := linkTo(tt.command)
		token := signer.Sign(l)
		for range 3 { // as a chat program's preview does
			resp, page := s.do("GET", "/act/"+token, "", nil)
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d %s", tt.command, resp.StatusCode, page)
			}
			contains(t, page, append(tt.says, "payment-service")[:len(tt.says)]...)
			for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Content-Security-Policy": public.Policy, "X-Content-Type-Options": "nosniff"} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if strings.Contains(string(page), "<script") {
				t.Errorf("the page needs JavaScript: %s", page)
			}
		}
		if got := s.commands(); len(got) != 0 {
			t.Fatalf("%s: opening the link wrote %+v", tt.command, got)
		}
		if status, page := s.press(token, nil); status != http.StatusAccepted {
			t.Fatalf("%s: %d %s", tt.command, status, page)
		}
		all := s.commands()
		if len(all) != 1 {
			t.Fatalf("%s: %d commands", tt.command, len(all))
		}
		tt.want.Args.Link = l.ID
		if c := all[0]; c.Command != tt.command || c.By != "operator:phone-link" || c.ID != "link-"+l.ID || c.Service != tt.want.Service || c.Args != tt.want.Args || c.Host != myHost || c.Instance != me {
			t.Errorf("%s: the command is %+v", tt.command, c)
		}
	}
}

// TestLinkWorksOnce: also after a restart, and where its command has a result.
func TestLinkWorksOnce(t *testing.T) {
	s := linked(t)
	l := linkTo(link.Silence)
	token := signer.Sign(l)
	s.press(token, nil)
	again := func(when, want string) {
		t.Helper()
		status, page := s.confirm(token)
		if status != http.StatusGone || !strings.Contains(page, "This link was used at") || !strings.Contains(page, want) {
			t.Errorf("%s: %d %s", when, status, page)
		}
		resp, body := s.do("GET", "/act/"+token, "", nil)
		if resp.StatusCode != http.StatusGone || confirmField.Match(body) {
			t.Errorf("%s: GET %d %s", when, resp.StatusCode, body)
		}
	}
	again("at once", "has not answered it yet")
	s.answer("link-"+l.ID, true)
	s.eventually("the result is read", func() bool { _, page := s.confirm(token); return strings.Contains(page, "executed it") })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.run()
	s.eventually("caught up", func() bool { return s.status("GET", "/readyz", "", nil) == http.StatusOK })
	again("after a restart", "executed it")
	if got := len(s.commands()); got != 2 { // with the result
		t.Errorf("%d records", got)
	}
}

func TestLinkThatIsPressedTwiceAtOnceIsOneCommand(t *testing.T) {
	s := linked(t)
	for range 20 {
		before := len(s.commands())
		token := signer.Sign(linkTo(link.Silence))
		var all sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for range 8 {
			all.Go(func() {
				resp, err := http.DefaultTransport.RoundTrip(s.request("POST", "/act/"+token, "confirm="+signer.Confirmation(token), asForm))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				mu.Lock()
				got[resp.StatusCode]++
				mu.Unlock()
			})
		}
		all.Wait()
		if written := len(s.commands()) - before; written != 1 || got[http.StatusAccepted] != 1 || got[http.StatusConflict]+got[http.StatusGone] != 7 {
			t.Fatalf("%d commands, answers %v", written, got)
		}
	}
}

// TestLinkThatDoesNotCountDoesNothing has every reason not to follow a link, for
// opening it and for pressing the button.
func TestLinkThatDoesNotCountDoesNothing(t *testing.T) {
	with := func(change func(*link.Link)) string {
		l := linkTo(link.Approve)
		change(&l)
		return signer.Sign(l)
	}
	good := with(func(*link.Link) {})
	flipped := []byte(good)
	flipped[20] ^= 1
	ended := func(s *site) {
		s.incident("x", 6, "payment-service", event.Resolved{How: event.HowRecovered}, event.ByLogstream)
	}
	then := func(data event.Data, by string) func(*site) {
		return func(s *site) { s.incident("x", 6, "payment-service", data, by) }
	}
	anew := func(s *site) {
		s.incident("x", 6, "payment-service", event.Evidence{}, event.ByLogstream)
		s.incident("x", 7, "payment-service", event.ApprovalRequested{Action: "start", Target: "payment-service", Expires: later}, event.ByGuard)
	}
	short := func(s *site) {
		s.incident("y", 1, "payment-service", event.Opened{Error: "refused", FirstBad: time.Now().UTC(), Kind: "service"}, event.ByLogstream)
		s.incident("y", 2, "payment-service", event.ApprovalRequested{Action: "start", Target: "payment-service", Expires: time.Now()}, event.ByGuard)
	}
	for name, tt := range map[string]struct {
		token  string
		put    func(*site)
		status int
		says   string
	}{
		"its end is missing":            {good[:len(good)/4*4-4], nil, 403, "was altered"},
		"nonsense":                      {"nonsense", nil, 404, "incomplete"},
		"altered":                       {string(flipped), nil, 403, "was altered"},
		"another secret":                {otherSigner.Sign(linkTo(link.Approve)), nil, 403, "not made by this LogStream"},
		"expired":                       {with(func(l *link.Link) { l.Expires = time.Now().Add(-time.Minute) }), nil, 410, "This link expired at"},
		"valid for too long":            {with(func(l *link.Link) { l.Expires = time.Now().Add(8 * 24 * time.Hour) }), nil, 403, "for longer"},
		"another host":                  {with(func(l *link.Link) { l.Host = "nas" }), nil, 409, "is for host"},
		"another service":               {with(func(l *link.Link) { l.Service = "other" }), nil, 409, "another incident"},
		"unknown incident":              {with(func(l *link.Link) { l.Incident = "nope" }), nil, 410, "no longer known"},
		"no request":                    {with(func(l *link.Link) { l.Approval = "" }), nil, 404, "names no request"},
		"earlier request":               {with(func(l *link.Link) { l.Approval = "4" }), nil, 409, "approval was requested again"},
		"later request":                 {with(func(l *link.Link) { l.Approval = "6" }), nil, 409, "does not have"},
		"incident ended":                {good, ended, 409, "ended at"},
		"silence after it":              {with(func(l *link.Link) { l.Command = link.Silence }), ended, 409, "ended at"},
		"hold after it":                 {with(func(l *link.Link) { l.Command = link.Hold }), ended, 409, "ended at"},
		"approved already":              {good, then(event.Approved{}, "operator:ada"), 409, "approved already"},
		"denied already":                {good, then(event.Denied{}, "operator:ada"), 409, "denied already"},
		"escalated":                     {good, then(event.Escalated{Reason: "no answer"}, event.ByGuard), 409, "handed the incident to a person"},
		"request replaced":              {good, anew, 409, "approval was requested again"},
		"situation changed":             {good, then(event.Evidence{}, event.ByLogstream), 409, "no longer valid"},
		"request expired":               {with(func(l *link.Link) { l.Incident, l.Approval = "y", "2" }), short, 410, "expired at"},
		"silence of no time":            {with(func(l *link.Link) { l.Command, l.For = link.Silence, 0 }), nil, 404, "not between 1s and 720h"},
		"silence of a year":             {with(func(l *link.Link) { l.Command, l.For = link.Silence, 9000*time.Hour }), nil, 404, "not between 1s and 720h"},
		"hold of a year":                {with(func(l *link.Link) { l.Command, l.For = link.Hold, 9000*time.Hour }), nil, 404, "not up to 720h"},
		"silence of an unknown service": {with(func(l *link.Link) { l.Command, l.Service, l.Incident = link.Silence, "nope", "" }), nil, 404, "is not configured"},
	} {
		var records []func(*site)
		if tt.put != nil {
			records = append(records, tt.put)
		}
		s := linked(t, records...)
		resp, page := s.do("GET", "/act/"+tt.token, "", nil)
		if resp.StatusCode != tt.status || !strings.Contains(string(page), tt.says) || confirmField.Match(page) || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: GET %d %s, want %d, %q", name, resp.StatusCode, page, tt.status, tt.says)
		}
		if status, page := s.confirm(tt.token); status != tt.status || !strings.Contains(page, tt.says) || !strings.Contains(page, "Nothing was done") {
			t.Errorf("%s: POST %d %s, want %d, %q", name, status, page, tt.status, tt.says)
		}
		if got := s.commands(); len(got) != 0 {
			t.Errorf("%s: the command %+v was written", name, got)
		}
	}
}

var otherSigner = link.New([]byte("the secret of another bus"))
