package service

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

func valid() Definition {
	d := Default()
	d.Name, d.URL = "payment-service", "http://localhost:8080/health"
	return d
}

func TestDefaultNeedsAName(t *testing.T) {
	var keys []string
	for _, p := range Default().Problems() {
		keys = append(keys, p.Key)
	}
	if !slices.Equal(keys, []string{"name"}) {
		t.Errorf("the default lacks %v, want the name alone", keys)
	}
	if problems := valid().Problems(); problems != nil {
		t.Errorf("with a name it has the problems %v", problems)
	}
}

func TestProblems(t *testing.T) {
	tests := map[string]struct {
		change  func(*Definition)
		key     string // empty: nothing is wrong
		value   string
		message string
	}{
		"no name":           {func(d *Definition) { d.Name = "" }, "name", "", "missing"},
		"a reserved name":   {func(d *Definition) { d.Name = "logstream" }, "name", "logstream", "reserved"},
		"a name with a tab": {func(d *Definition) { d.Name = "a\tb" }, "name", "a\tb", "printed"},

		"interval at its least":   {func(d *Definition) { d.Interval = 100 * time.Millisecond }, "", "", ""},
		"interval at its most":    {func(d *Definition) { d.Interval = 24 * time.Hour }, "", "", ""},
		"interval too short":      {func(d *Definition) { d.Interval = 99 * time.Millisecond }, "interval", "99ms", "between"},
		"interval too long":       {func(d *Definition) { d.Interval = 25 * time.Hour }, "interval", "25h0m0s", "between"},
		"interval negative":       {func(d *Definition) { d.Interval = -time.Second }, "interval", "-1s", "between"},
		"timeout at its least":    {func(d *Definition) { d.Timeout = time.Millisecond }, "", "", ""},
		"timeout at its most":     {func(d *Definition) { d.Timeout = 5 * time.Minute }, "", "", ""},
		"timeout zero":            {func(d *Definition) { d.Timeout = 0 }, "timeout", "0s", "between"},
		"timeout too long":        {func(d *Definition) { d.Timeout = 301 * time.Second }, "timeout", "5m1s", "between"},
		"failures 1":              {func(d *Definition) { d.FailureThreshold = 1 }, "", "", ""},
		"failures 100":            {func(d *Definition) { d.FailureThreshold = 100 }, "", "", ""},
		"failures 0":              {func(d *Definition) { d.FailureThreshold = 0 }, "failure_threshold", "0", "between"},
		"failures 101":            {func(d *Definition) { d.FailureThreshold = 101 }, "failure_threshold", "101", "between"},
		"successes 1":             {func(d *Definition) { d.SuccessThreshold = 1 }, "", "", ""},
		"successes 100":           {func(d *Definition) { d.SuccessThreshold = 100 }, "", "", ""},
		"successes 0":             {func(d *Definition) { d.SuccessThreshold = 0 }, "success_threshold", "0", "between"},
		"successes 101":           {func(d *Definition) { d.SuccessThreshold = 101 }, "success_threshold", "101", "between"},
		"latency negative":        {func(d *Definition) { d.Expect.Latency = -1 }, "expect.latency", "-1ns", "negative"},
		"window":                  {func(d *Definition) { d.Window = Window{Failures: 3, Of: 5} }, "", "", ""},
		"window of less":          {func(d *Definition) { d.Window = Window{Failures: 3, Of: 2} }, "window", "", "such as"},
		"window of too many":      {func(d *Definition) { d.Window = Window{Failures: 3, Of: 101} }, "window", "", "100"},
		"keep alive an hour":      {func(d *Definition) { d.KeepAlive = time.Hour }, "", "", ""},
		"keep alive negative":     {func(d *Definition) { d.KeepAlive = -1 }, "keep_alive", "-1ns", "between"},
		"a key without its cert":  {func(d *Definition) { d.TLS.Key = "k" }, "tls", "", "together"},
		"days of a certificate":   {func(d *Definition) { d.Expect.CertificateDays = 366 }, "expect.certificate_days", "366", "between"},
		"latency":                 {func(d *Definition) { d.Expect.Latency = time.Second }, "", "", ""},
		"no status is good":       {func(d *Definition) { d.Expect.Status = nil }, "expect.status", "", "missing"},
		"start period an hour":    {func(d *Definition) { d.StartPeriod = time.Hour }, "", "", ""},
		"start period longer":     {func(d *Definition) { d.StartPeriod = time.Hour + 1 }, "start_period", "1h0m0.000000001s", "between"},
		"start period negative":   {func(d *Definition) { d.StartPeriod = -1 }, "start_period", "-1ns", "between"},
		"observe":                 {func(d *Definition) { d.Heal.Mode = Observe }, "", "", ""},
		"auto":                    {func(d *Definition) { d.Heal.Mode = Auto }, "", "", ""},
		"an unknown mode":         {func(d *Definition) { d.Heal.Mode = "yes" }, "heal.mode", "yes", "observe, approve, auto"},
		"manual stop ignored":     {func(d *Definition) { d.Heal.ManualStop = StopIgnore }, "", "", ""},
		"manual stop always":      {func(d *Definition) { d.Heal.ManualStop = StopAlways }, "", "", ""},
		"no manual stop":          {func(d *Definition) { d.Heal.ManualStop = "" }, "heal.manual_stop", "", "heal, ignore, always"},
		"every action never":      {func(d *Definition) { d.Heal.Never = Actions }, "", "", ""},
		"never an unknown action": {func(d *Definition) { d.Heal.Never = []string{"start", "prune"} }, "heal.never", "prune", "start, unpause, connect, restart"},
		"never escalate":          {func(d *Definition) { d.Heal.Never = []string{"escalate"} }, "heal.never", "escalate", "use one of"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := valid()
			test.change(&d)
			problems := d.Problems()
			switch {
			case test.key == "":
				if problems != nil {
					t.Errorf("it has the problems %v", problems)
				}
			case len(problems) != 1:
				t.Errorf("it has the problems %v, want one at %s", problems, test.key)
			case problems[0].Key != test.key || problems[0].Value != test.value || !strings.Contains(problems[0].Message, test.message):
				t.Errorf("got %+v, want %s: %q … %s", problems[0], test.key, test.value, test.message)
			case strings.Contains(problems[0].Message, "s3cret"):
				t.Errorf("%q shows the password", problems[0].Message)
			}
		})
	}
}

func TestProblemsAreAllReported(t *testing.T) {
	if n := len(Definition{Heal: Heal{Mode: "x", Never: []string{"a", "b"}}}.Problems()); n != 10 {
		t.Errorf("got %d problems, want all 10", n)
	}
}

func TestMaskURL(t *testing.T) {
	tests := map[string]string{
		"http://localhost:8080/health":           "http://localhost:8080/health",
		"http://ann:s3cret@host/health":          "http://ann:***@host/health",
		"http://ann:@host/":                      "http://ann:***@host/",
		"http://:s3cret@host/":                   "http://:***@host/",
		"http://s3cret@host/":                    "http://***@host/",
		"http://ann:s3%40cret%3A@host/":          "http://ann:***@host/",
		"http://host/?token=s3cret":              "http://host/?token=***",
		"http://host/?b=s3cret&a=s3cret&b=":      "http://host/?b=***&a=***&b=***",
		"http://host/?s3cret":                    "http://host/?***",
		"http://host/?a=%zz&s3cret=&x=s3cret":    "http://host/?a=***&s3cret=***&x=***",
		"http://host/?a=1;token=s3cret":          "http://host/?a=***",
		"http://host/#s3cret":                    "http://host/#***",
		"http://host/a%2Fb?x=1":                  "http://host/a%2Fb?x=***",
		"http:ann:s3cret@host":                   "***",
		"http://ann:s3cret\x7f@host":             "***",
		"http://ann:s3cret/@host":                "***",
		"http://zahlung.example/g%C3%BCltig?ü=1": "http://zahlung.example/g%C3%BCltig?ü=***",
		"localhost:8080/?a=s3cret":               "localhost:8080/?a=***",
		"http://host/?type=s3cret":               "http://host/?type=***",
		"dns://host/a.example?type=MX":           "dns://host/a.example?type=MX",
		"dns://host/a.example?type=s3cret:&k=MX": "dns://host/a.example?type=***&k=***",
		"disk:///var?free=10%&inodes=5%25":       "disk:///var?free=10%&inodes=5%25",
		"disk:///var?free=5GiB":                  "disk:///var?free=5GiB",
		"postgres://ann:s3cret@host/shop?sslmode=verify-full&password=s3cret": "postgres://ann:***@host/shop?sslmode=verify-full&password=***",
		"mysql://ann:s3cret@host/?tls=true":                                   "mysql://ann:***@host/?tls=true",
		"redis://:s3cret@host/0":                                              "redis://:***@host/0",
		"127.0.0.1:8080/?a=s3cret":                                            "127.0.0.1:8080/?a=***",
		"ann:s3cret@127.0.0.1:8080":                                           "***",
		"":                                                                    "",
	}
	for raw, want := range tests {
		if got := MaskURL(raw); got != want {
			t.Errorf("%q is shown as %q, want %q", raw, got, want)
		}
	}
}

// FuzzMaskURL: whatever the secrets are, the masked url is the same.
func FuzzMaskURL(f *testing.F) {
	f.Add("s3cret", "/health")
	f.Add("p@ss:w/o?r#d%", "/a%2Fb;x")
	f.Add("***", "")
	f.Fuzz(func(t *testing.T, secret, path string) {
		schemes := []string{"http", "dns", "disk", "postgres", "mysql", "redis"}
		scheme := schemes[len(path)%len(schemes)]
		with := func(secret string) string {
			u := url.URL{Scheme: scheme, User: url.UserPassword("ann", secret), Host: "host:80", Path: path,
				RawQuery: "token=" + url.QueryEscape(secret) + "&" + url.QueryEscape(secret) + "&b=" + url.QueryEscape(secret), Fragment: "x" + secret}
			return MaskURL(u.String())
		}
		if got, want := with(secret), with("other"); got != want {
			t.Fatalf("with the secret %q it is shown as %q, with another as %q", secret, got, want)
		}
		if masked := with(secret); MaskURL(masked) != masked {
			t.Fatalf("%q is masked once more as %q", masked, MaskURL(masked))
		}
	})
}

func TestMasked(t *testing.T) {
	d := valid()
	d.URL = "http://ann:s3cret@localhost:8080/health?key=s3cret"
	d.Container, d.Group, d.Note, d.Chaos = "pay", "shop", "when this fails, nobody pays", true
	d.Expect.Latency, d.StartPeriod = 2*time.Second, 30*time.Second
	d.Heal = Heal{Mode: Observe, Never: []string{"restart"}, ManualStop: StopIgnore, Confirm: true, Self: true}
	got := string(event.Encode(d.Masked()))
	want := `{"name":"payment-service","url":"http://ann:***@localhost:8080/health?key=***","container":"pay","group":"shop",` +
		`"note":"when this fails, nobody pays","interval":"10s","timeout":"5s","failure_threshold":3,"success_threshold":2,` +
		`"expect":{"status":"200-399","latency":"2s"},"start_period":"30s",` +
		`"heal":{"mode":"observe","never":["restart"],"manual_stop":"ignore","confirm":true,"self":true},"chaos":true}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestHash: it is on the log, so it may not change from version to version
// while the definition doesn't.
func TestHash(t *testing.T) {
	if got, want := valid().Hash(), "9ad7c7307a68"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	seen := map[string]string{valid().Hash(): "nothing"}
	for name, change := range map[string]func(*Definition){
		"name":                func(d *Definition) { d.Name = "b" },
		"url":                 func(d *Definition) { d.URL = "http://localhost:8081/health" },
		"container":           func(d *Definition) { d.Container = "b" },
		"group":               func(d *Definition) { d.Group = "b" },
		"note":                func(d *Definition) { d.Note = "b" },
		"interval":            func(d *Definition) { d.Interval++ },
		"timeout":             func(d *Definition) { d.Timeout++ },
		"failure_threshold":   func(d *Definition) { d.FailureThreshold++ },
		"success_threshold":   func(d *Definition) { d.SuccessThreshold++ },
		"expect.status":       func(d *Definition) { d.Expect.Status = StatusRange{{200, 299}} },
		"window":              func(d *Definition) { d.Window = Window{3, 5} },
		"request.method":      func(d *Definition) { d.Request.Method = "HEAD" },
		"request.headers":     func(d *Definition) { d.Request.Headers = map[string]string{"A": "b"} },
		"request.body":        func(d *Definition) { d.Request.Body = "b" },
		"request.redirects":   func(d *Definition) { d.Request.Redirects = true },
		"request.bearer":      func(d *Definition) { d.Request.Bearer = "b" },
		"tls.ca":              func(d *Definition) { d.TLS.CA = "b" },
		"tls.insecure":        func(d *Definition) { d.TLS.Insecure = true },
		"keep_alive":          func(d *Definition) { d.KeepAlive = 0 },
		"push.grace":          func(d *Definition) { d.Push.Grace++ },
		"push.schedule":       func(d *Definition) { d.Push.Schedule = "@daily" },
		"expect.body":         func(d *Definition) { d.Expect.Body = "b" },
		"expect.json":         func(d *Definition) { d.Expect.JSON = map[string]string{"a": "b"} },
		"expect.headers":      func(d *Definition) { d.Expect.Headers = map[string]string{"a": "b"} },
		"expect.certificate":  func(d *Definition) { d.Expect.CertificateDays = 14 },
		"depends_on":          func(d *Definition) { d.DependsOn = []string{"b"} },
		"expect.latency":      func(d *Definition) { d.Expect.Latency++ },
		"start_period":        func(d *Definition) { d.StartPeriod++ },
		"heal.mode":           func(d *Definition) { d.Heal.Mode = Auto },
		"heal.never":          func(d *Definition) { d.Heal.Never = []string{"start"} },
		"heal.never, another": func(d *Definition) { d.Heal.Never = []string{"restart"} },
		"heal.manual_stop":    func(d *Definition) { d.Heal.ManualStop = StopAlways },
		"heal.confirm":        func(d *Definition) { d.Heal.Confirm = false },
		"heal.self":           func(d *Definition) { d.Heal.Self = true },
		"chaos":               func(d *Definition) { d.Chaos = true },
		"discovered":          func(d *Definition) { d.Discovered = true },
	} {
		d := valid()
		change(&d)
		hash := d.Hash()
		if same, taken := seen[hash]; taken {
			t.Errorf("a change of %s has the hash of a change of %s", name, same)
		}
		if hash != d.Hash() {
			t.Errorf("the hash after a change of %s is not the same twice", name)
		}
		seen[hash] = name
	}
	secret, other := valid(), valid()
	secret.URL, other.URL = "http://a:one@h/", "http://a:two@h/"
	secret.Request = Request{Headers: map[string]string{"X": "one"}, Body: "one", Bearer: "one"}
	other.Request = Request{Headers: map[string]string{"X": "two"}, Body: "two", Bearer: "two"}
	if secret.Hash() != other.Hash() {
		t.Error("the hash distinguishes one secret from another")
	}
}

func TestAURLWithoutAHostKeepsItsSlashesWhenMasked(t *testing.T) {
	for _, raw := range []string{"push://", "push:x", "push://nightly", "disk:///?free=10%", "dns:///example.com", "docker://web"} {
		if got := MaskURL(raw); got != raw {
			t.Errorf("MaskURL(%q) = %q, want it as it is written", raw, got)
		}
	}
	if got := MaskURL("push://?key=s3cret"); got != "push://?key=***" {
		t.Errorf("MaskURL of a push url with a key = %q", got)
	}
}

// TestAContainerIsPartOfTheCheck: where there is one, a port that closes at once
// is docker-proxy's.
func TestAContainerIsPartOfTheCheck(t *testing.T) {
	without, with, other := valid(), valid(), valid()
	with.Container, other.Container = "pay", "stock"
	if without.SameCheck(with) || !with.SameCheck(other) || !without.SameCheck(without) {
		t.Error("whether there is a container is part of the check, and not which")
	}
}
