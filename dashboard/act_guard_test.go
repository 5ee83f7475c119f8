package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"logstream/internal/event"
	"logstream/internal/link"
	"logstream/internal/testlog"
)

// TestLinkIsConfirmedOnItsOwnPageAlone has all other ways to send the form.
func TestLinkIsConfirmedOnItsOwnPageAlone(t *testing.T) {
	s := linked(t)
	token, other := signer.Sign(linkTo(link.Silence)), signer.Sign(linkTo(link.Silence))
	form := func(values url.Values) string { return values.Encode() }
	good := form(url.Values{"confirm": {signer.Confirmation(token)}})
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			asForm(r)
			r.Header.Del("Origin")
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	for name, tt := range map[string]struct {
		body string
		edit func(*http.Request)
		want int
	}{
		"foreign page":                 {good, header("Origin", "https://evil.example"), 403},
		"foreign page, newer browser":  {good, header("Origin", "null", "Sec-Fetch-Site", "cross-site"), 403},
		"another port of this machine": {good, header("Origin", "http://127.0.0.1:1"), 403},
		"same site":                    {good, header("Sec-Fetch-Site", "same-site"), 403},
		"hidden origin, no page":       {form(url.Values{"confirm": {""}}), header("Origin", "null"), 403},
		"foreign Host":                 {good, func(r *http.Request) { asForm(r); r.Header.Del("Origin"); r.Host = "evil.example" }, 403},
		"JSON":                         {`{"confirm":"x"}`, header("Content-Type", "application/json"), 415},
		"plain text":                   {good, header("Content-Type", "text/plain"), 415},
		"multipart":                    {good, header("Content-Type", "multipart/form-data; boundary=x"), 415},
		"no type":                      {good, func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"no confirmation":              {"", header(), 400},
		"another field":                {good + "&command=heal", header(), 400},
		"twice":                        {good + "&" + good, header(), 400},
		"no form":                      {"%zz", header(), 400},
		"confirmation of another link": {form(url.Values{"confirm": {signer.Confirmation(other)}}), header(), 403},
		"confirmation of another bus":  {form(url.Values{"confirm": {otherSigner.Confirmation(token)}}), header(), 403},
		"the link as its confirmation": {form(url.Values{"confirm": {token}}), header(), 403},
		"more than a form":             {strings.Repeat("a", maxForm+1), header(), 413},
		"confirmation in the address":  {"", func(r *http.Request) { header()(r); r.URL.RawQuery = good }, 400},
	} {
		resp, body := s.do("POST", "/act/"+token, tt.body, tt.edit)
		if resp.StatusCode != tt.want {
			t.Errorf("%s: %d %s, want %d", name, resp.StatusCode, body, tt.want)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		if resp, _ := s.do(method, "/act/"+token, good, asForm); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	if got := s.commands(); len(got) != 0 {
		t.Fatalf("%+v were written", got)
	}
	// And what a browser really sends: the page has no referrer, so that over plain
	// HTTP its origin is hidden.
	for name, edit := range map[string]func(*http.Request){"hidden origin": header("Origin", "null"), "our origin": asForm,
		"newer browser": header("Origin", "null", "Sec-Fetch-Site", "same-origin"), "a program": header()} {
		if status, page := s.press(signer.Sign(linkTo(link.Silence)), edit); status != http.StatusAccepted {
			t.Errorf("%s: %d %s", name, status, page)
		}
	}
}

// TestLinkNeedsNoToken: it is what a phone has, and it opens nothing else.
func TestLinkNeedsNoToken(t *testing.T) {
	s := open(t, func(d *Deps) { withLinks(d); d.Config.Token = "sesame" })
	(*site).claim(s)
	waiting(s)
	s.run()
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer sesame") }
	s.eventually("caught up", func() bool { return s.status("GET", "/readyz", "", bearer) == http.StatusOK })
	if status, page := s.press(signer.Sign(linkTo(link.Approve)), nil); status != http.StatusAccepted {
		t.Errorf("%d %s", status, page)
	}
	if got := s.status("GET", "/api/v1/incidents/x", "", nil); got != http.StatusUnauthorized {
		t.Errorf("without a token the API answers %d", got)
	}
}

func TestWrongLinksAreLimitedApartFromRightOnes(t *testing.T) {
	s := serve(t, withLinks, (*site).claim, waiting)
	s.dash.limits.wrongLinks.SetLimit(0)
	refused := 0
	for range linkBurst + 5 {
		if s.status("GET", "/act/nonsense", "", nil) == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("%d wrong links of %d were refused for their number", refused, linkBurst+5)
	}
	token := signer.Sign(linkTo(link.Silence))
	if got := s.status("GET", "/act/"+token, "", nil); got != http.StatusOK {
		t.Errorf("a right link is answered with %d", got)
	}
	s.dash.limits.links.SetBurst(0)
	s.dash.limits.links.SetLimit(0)
	resp, body := s.do("POST", "/act/"+token, "confirm="+signer.Confirmation(token), asForm)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), "Too many links were opened just now") || len(s.commands()) != 0 {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	s.dash.limits.links.SetLimit(rate.Inf)
}

// Opening one link too often, even an expired one, does not block the use of another.
func TestOneLinkDoesNotBlockOthers(t *testing.T) {
	s := serve(t, withLinks, (*site).claim, waiting)
	expired := linkTo(link.Approve)
	expired.Expires = time.Now().Add(-time.Minute)
	for what, tt := range map[string]struct {
		link       link.Link
		says, wait string
	}{
		"expired": {expired, "Too many links were opened just now: try again in a second.", "1"},
		"valid":   {linkTo(link.Hold), "This link was opened too often. Try again in 2 seconds.", "2"},
	} {
		token, limited := signer.Sign(tt.link), false
		for range 3 * linkBurst {
			resp, body := s.do("GET", "/act/"+token, "", nil)
			if resp.StatusCode != http.StatusTooManyRequests {
				continue
			}
			limited = true
			if after := resp.Header.Get("Retry-After"); after != tt.wait || !strings.Contains(string(body), tt.says) {
				t.Fatalf("a link that is %s: Retry-After %q: %s", what, after, body)
			}
		}
		if got := s.status("GET", "/act/"+signer.Sign(linkTo(link.Approve)), "", nil); !limited || got != http.StatusOK {
			t.Errorf("after %d times a link that is %s (limited: %t) another one = %d", 3*linkBurst, what, limited, got)
		}
	}
}

// TestLinkSurvivesKafkaThatIsAway: it is not used up by what was not recorded,
// and the second command has the same id, so that a healer executes one.
func TestLinkSurvivesKafkaThatIsAway(t *testing.T) {
	s := linked(t)
	token := signer.Sign(linkTo(link.Approve))
	s.log.Set(func(m *testlog.Log) { m.Unreachable = true })
	if status, page := s.confirm(token); status != http.StatusServiceUnavailable || !strings.Contains(page, "did not confirm it") {
		t.Errorf("%d %s", status, page)
	}
	s.log.Set(func(m *testlog.Log) { m.Unreachable = false })
	if status, page := s.press(token, nil); status != http.StatusAccepted {
		t.Errorf("%d %s", status, page)
	}
	if got := s.commands(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestLinkWaitsForTheReplay: before it, nothing says whether the link was used.
func TestLinkWaitsForTheReplay(t *testing.T) {
	s := open(t, withLinks)
	(*site).claim(s)
	waiting(s)
	s.log.Unread = true
	s.run()
	s.dash.limits.links.SetLimit(rate.Inf)
	token := signer.Sign(linkTo(link.Approve))
	for _, method := range []string{"GET", "POST"} {
		if resp, body := s.do(method, "/act/"+token, "confirm="+signer.Confirmation(token), asForm); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", method, resp.StatusCode, body)
		}
	}
	if got := s.commands(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestLinkOfADashboardWithoutASecret(t *testing.T) {
	s := serve(t, nil)
	if got := s.status("GET", "/act/"+signer.Sign(linkTo(link.Hold)), "", nil); got != http.StatusNotFound {
		t.Errorf("%d", got)
	}
}

// TestWhatOthersWroteIsEscapedOnThePageOfALink has markup wherever a record has text.
func TestWhatOthersWroteIsEscapedOnThePageOfALink(t *testing.T) {
	const bad = `"><script>alert(1)</script>`
	s := linked(t, func(s *site) {
		s.incident("z", 1, "payment-service", event.Opened{Error: bad, Kind: "service"}, event.ByLogstream)
		s.incident("z", 2, "payment-service", event.ApprovalRequested{Action: bad, Target: bad, Command: bad, Undo: bad, Cost: bad, Reason: bad, Expires: later}, event.ByGuard)
	})
	l := linkTo(link.Approve)
	l.Incident, l.Approval = "z", "2"
	resp, page := s.do("GET", "/act/"+signer.Sign(l), "", nil)
	if resp.StatusCode != http.StatusOK || strings.Contains(string(page), "<script") || !strings.Contains(string(page), "&lt;script") {
		t.Errorf("%d %s", resp.StatusCode, page)
	}
}
