package discover

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/monitor/check"
)

// plain is a running container with labels, given as name, value and so on
// without the prefix.
func plain(name string, labels ...string) Container {
	c := Container{Listed: container.Listed{Name: name, ID: "id-" + name, Status: container.Running, Labels: map[string]string{}}}
	for i := 0; i < len(labels); i += 2 {
		c.Labels[container.LabelPrefix+labels[i]] = labels[i+1]
	}
	return c
}

// replica is one that Compose made.
func replica(project, of string, n int, labels ...string) Container {
	c := plain(fmt.Sprintf("%s-%s-%d", project, of, n), labels...)
	c.Project, c.Service, c.Number = project, of, n
	return c
}

// with changes a container.
func with(c Container, change func(*Container)) Container {
	change(&c)
	return c
}

func exited(c *Container) { c.Status = container.Exited }

// brief is a service as the tables have it.
func brief(d service.Definition) string {
	s := fmt.Sprintf("%s [%s] %s %s", d.Name, d.Group, d.Container, d.Heal.Mode)
	if d.URL != "" {
		s += " " + d.URL
	}
	if len(d.DependsOn) > 0 {
		s += " needs " + strings.Join(d.DependsOn, ", ")
	}
	return s
}

func TestPlan(t *testing.T) {
	configured := func(name, ref string) []service.Definition {
		d := service.Default()
		d.Name, d.URL, d.Container = name, "http://localhost:1", ref
		return []service.Definition{d}
	}
	const url = "http://localhost:8080"
	tests := map[string]struct {
		all        bool
		configured []service.Definition
		before     []service.Definition
		containers []Container
		want       []string
		problems   []string // parts of them, in order
	}{
		"nothing is labelled":          {containers: []Container{plain("web"), replica("shop", "db", 1)}},
		"a plain container":            {containers: []Container{plain("web", "url", url)}, want: []string{"web [] web observe " + url}},
		"by its state alone":           {containers: []Container{plain("web", "enable", "true")}, want: []string{"web [] web observe"}},
		"repaired where it is asked":   {containers: []Container{plain("web", "heal", "auto")}, want: []string{"web [] web auto"}},
		"a stopped one is a service":   {containers: []Container{with(plain("web", "heal", "auto"), exited)}, want: []string{"web [] web auto"}},
		"a name and a group":           {containers: []Container{plain("c1", "name", "web shop", "group", "front", "note", "x")}, want: []string{"web shop [front] c1 observe"}},
		"switched off":                 {containers: []Container{plain("web", "enable", "false", "url", url)}},
		"a replica":                    {containers: []Container{replica("shop", "web", 1, "url", url)}, want: []string{"web/1 [shop] shop-web-1 observe " + url}},
		"an old Compose's names":       {containers: []Container{with(replica("shop", "web", 1, "heal", "auto"), func(c *Container) { c.Name = "shop_web_1" })}, want: []string{"web/1 [shop] shop_web_1 auto"}},
		"replicas share a name":        {containers: []Container{replica("shop", "web", 2, "name", "web"), replica("shop", "web", 1, "name", "web")}, want: []string{"web/1 [web] shop-web-1 observe", "web/2 [web] shop-web-2 observe"}},
		"a Compose service's own name": {containers: []Container{with(replica("shop", "web", 1, "url", url), func(c *Container) { c.Name = "web" })}, want: []string{"web [shop] web observe " + url}},
		"one-off and successor":        {all: true, containers: []Container{with(replica("shop", "web", 1, "heal", "auto"), func(c *Container) { c.Temporary = true })}},
		"two projects with one service": {containers: []Container{replica("shop", "db", 1, "heal", "auto"), replica("blog", "db", 1, "heal", "auto")},
			want: []string{"blog/db/1 [blog] blog-db-1 auto", "shop/db/1 [shop] shop-db-1 auto"}},

		"replicas without a name": {all: true, containers: []Container{replica("shop", "web", 1), replica("shop", "web", 2), replica("shop", "db", 1)},
			want: []string{"db/1 [shop] shop-db-1 observe", "web/1 [web] shop-web-1 observe", "web/2 [web] shop-web-2 observe"}},
		"another project's one that is no service": {containers: []Container{replica("shop", "db", 1, "heal", "auto"), replica("blog", "db", 1)},
			want: []string{"db/1 [shop] shop-db-1 auto"}},
		"all: without labels": {all: true, containers: []Container{plain("web"), replica("shop", "db", 1)},
			want: []string{"db/1 [shop] shop-db-1 observe", "web [] web observe"}},
		"all: labels say more":       {all: true, containers: []Container{plain("web", "heal", "auto"), plain("off", "enable", "false")}, want: []string{"web [] web auto"}},
		"all: our own container":     {all: true, containers: []Container{with(plain("me"), func(c *Container) { c.Self = true })}},
		"our own container labelled": {containers: []Container{with(plain("me", "url", url), func(c *Container) { c.Self = true })}, want: []string{"me [] me observe " + url}},

		"config.yaml names the container": {all: true, configured: configured("payment", "web"), containers: []Container{plain("web", "heal", "auto")}},
		"config.yaml names the replicas":  {all: true, configured: configured("payment", "shop/web"), containers: []Container{replica("shop", "web", 1), replica("shop", "web", 2)}},
		"config.yaml has the name": {configured: configured("web", ""), containers: []Container{plain("web", "heal", "auto")},
			problems: []string{"container web: service web is in config.yaml, without this container"}},
		"config.yaml has the name of one without labels": {all: true, configured: configured("web", ""), containers: []Container{plain("web")}},

		"two live ones for a name": {containers: []Container{plain("green", "name", "web", "heal", "auto"), plain("blue", "name", "web", "heal", "auto")},
			problems: []string{"container blue and green: each is service web, so none is monitored"}},
		"two live ones with one url": {containers: []Container{plain("green", "name", "web", "url", url, "heal", "auto"), plain("blue", "name", "web", "url", url)},
			want: []string{"web []  observe " + url}, problems: []string{"container blue and green: each is service web, so its url is checked and none is repaired"}},
		"two live ones with two urls": {containers: []Container{plain("green", "name", "web", "url", url), plain("blue", "name", "web", "url", url+"1")}, problems: []string{"each is service web"}},
		"one live beside a stopped one": {containers: []Container{with(plain("blue", "name", "web", "heal", "auto"), exited), plain("green", "name", "web", "heal", "auto")},
			want: []string{"web [] green auto"}},
		"two stopped ones": {containers: []Container{with(plain("blue", "name", "web"), exited), with(plain("green", "name", "web"), exited)}, problems: []string{"each is service web"}},
		"two stopped ones, of which one was it": {before: []service.Definition{{Name: "web", Container: "green"}},
			containers: []Container{with(plain("blue", "name", "web"), exited), with(plain("green", "name", "web"), exited)}, want: []string{"web [] green observe"}},

		"Compose's dependencies": {all: true, containers: []Container{replica("shop", "db", 1), replica("shop", "db", 2), replica("blog", "db", 1),
			with(replica("shop", "web", 1), func(c *Container) { c.DependsOn = []string{"db", "migrate"} })},
			want: []string{"blog/db/1 [blog] blog-db-1 observe", "shop/db/1 [shop/db] shop-db-1 observe", "shop/db/2 [shop/db] shop-db-2 observe",
				"web/1 [shop] shop-web-1 observe needs shop/db/1, shop/db/2"}},
		"Compose's dependency on a configured one": {configured: configured("database", "shop/db"), containers: []Container{replica("shop", "db", 1),
			with(replica("shop", "web", 1, "enable", "true"), func(c *Container) { c.DependsOn = []string{"db"} })},
			want: []string{"web/1 [shop] shop-web-1 observe needs database"}},
		"dependencies by label": {configured: configured("database", ""), containers: []Container{plain("cache", "enable", "true"), replica("shop", "queue", 1, "name", "queue"), replica("shop", "auth", 1, "enable", "true"),
			replica("shop", "web", 1, "depends_on", "database, cache,queue, auth")},
			want: []string{"auth/1 [shop] shop-auth-1 observe", "cache [] cache observe", "queue/1 [queue] shop-queue-1 observe",
				"web/1 [shop] shop-web-1 observe needs auth/1, cache, database, queue/1"}},
		"an unknown dependency": {containers: []Container{plain("cache", "enable", "true"), plain("web", "depends_on", "cach", "heal", "auto")},
			want: []string{"cache [] cache observe", "web [] web auto"}, problems: []string{`label logstream.depends_on "cach" is not the name of a service; did you mean cache?`}},
		"a circle": {containers: []Container{plain("a", "depends_on", "b"), plain("b", "depends_on", "c"), plain("c", "depends_on", "a")},
			want: []string{"a [] a observe needs b", "b [] b observe needs c", "c [] c observe"}, problems: []string{`container c: label logstream.depends_on "a" makes a dependency cycle`}},
		"itself": {containers: []Container{plain("a", "depends_on", "a")}, want: []string{"a [] a observe"}},

		"an unknown label": {containers: []Container{plain("web", "intervall", "s3cret", "url", url, "heal", "auto", "group", "g")},
			want: []string{"web [] web observe"}, problems: []string{"container web: label logstream.intervall is unknown; did you mean logstream.interval?"}},
		"a wrong duration": {containers: []Container{plain("web", "interval", "5", "url", url)}, want: []string{"web [] web observe"},
			problems: []string{`label logstream.interval "5" is not a duration`}},
		"an interval that is too short": {containers: []Container{plain("web", "interval", "1ms")}, want: []string{"web [] web observe"}, problems: []string{`label logstream.interval "1ms" must be between`}},
		"a wrong mode":                  {containers: []Container{plain("web", "heal", "autoo")}, want: []string{"web [] web observe"}, problems: []string{`label logstream.heal "autoo" is not a mode; use one of observe, approve, auto; did you mean auto?`}},
		"an empty mode":                 {containers: []Container{plain("web", "heal", "")}, want: []string{"web [] web observe"}, problems: []string{"label logstream.heal is empty"}},
		"a wrong url":                   {containers: []Container{plain("web", "url", "htp://ann:s3cret@h/")}, want: []string{"web [] web observe"}, problems: []string{`label logstream.url "htp://ann:***@h/" has the scheme "htp"`}},
		"a url of this machine":         {containers: []Container{plain("web", "url", "docker://other")}, want: []string{"web [] web observe"}, problems: []string{"which only config.yaml may use"}},
		"a url without a scheme":        {containers: []Container{plain("web", "url", "localhost:80")}, want: []string{"web [] web observe"}, problems: []string{"label logstream.url"}},
		"nothing is expanded":           {containers: []Container{plain("web", "note", "${HOME}", "url", "http://${HOME}/")}, want: []string{"web [] web observe"}, problems: []string{"label logstream.url"}},
		"a reserved name":               {containers: []Container{plain("web", "name", "logstream", "heal", "auto")}, want: []string{"web [] web observe"}, problems: []string{"label logstream.name", "reserved"}},
		"a name that is not printable":  {containers: []Container{plain("web", "name", "a\u202eb")}, want: []string{"web [] web observe"}, problems: []string{"label logstream.name"}},
		"a container with a reserved name": {all: true, containers: []Container{plain("logstream")},
			problems: []string{"container logstream: its service cannot have that name"}},
		"a command":                   {containers: []Container{plain("web", "heal.commands", "{reload: [/bin/sh]}")}, want: []string{"web [] web observe"}, problems: []string{"label logstream.heal.commands is unknown"}},
		"an action that there is not": {containers: []Container{plain("web", "heal.actions", "rollbak")}, want: []string{"web [] web observe"}, problems: []string{`label logstream.heal.actions "rollbak" is not an action; use one of`}},
		"a size that is none":         {containers: []Container{plain("web", "heal.max_memory", "512MB")}, want: []string{"web [] web observe"}, problems: []string{`label logstream.heal.max_memory "512MB" is not a size`}},
		"two wrong labels": {containers: []Container{plain("web", "interval", "x", "heal.never", "prune", "tls.cert", "/etc/passwd")}, want: []string{"web [] web observe"},
			problems: []string{"logstream.interval", "logstream.tls.cert is unknown"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rules := Rules{Mode: Labelled, Defaults: service.Default(), Configured: test.configured}
			if test.all {
				rules.Mode = All
			}
			services, problems := rules.Plan(test.containers, test.before)
			var got, wrong []string
			for _, d := range services {
				got = append(got, brief(d))
			}
			for _, p := range problems {
				wrong = append(wrong, p.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			all := strings.Join(wrong, "\n")
			rest := all
			for _, part := range test.problems {
				_, after, is := strings.Cut(rest, part)
				if !is {
					t.Errorf("the problems are\n%s\nwant %q next in\n%s", all, part, rest)
				}
				rest = after
			}
			if test.problems == nil && all != "" {
				t.Errorf("the problems are\n%s", all)
			}
			if strings.Contains(all, "s3cret") {
				t.Errorf("a problem shows a secret: %s", all)
			}
		})
	}
}

// TestPublishedPortIsChecked needs the check of tcp.
func TestPublishedPortIsChecked(t *testing.T) {
	published := func(c *Container) { c.Published = "127.0.0.1:5432" }
	rules := Rules{Mode: All, Defaults: service.Default()}
	services, _ := rules.Plan([]Container{with(plain("db"), published), with(plain("web", "enable", "true"), published)}, nil)
	want := ""
	if _, is := check.Of("tcp://h:1"); is {
		want = "tcp://127.0.0.1:5432"
	}
	if services[0].URL != want || services[1].URL != "" {
		t.Errorf("the urls are %q and %q, want %q and none", services[0].URL, services[1].URL, want)
	}
}

func TestEveryLabelSetsItsKey(t *testing.T) {
	values := map[string]string{"enable": "true", "name": "n", "url": "http://h/", "group": "g", "note": "o", "depends_on": "b", "heal": "auto",
		"heal.never": "start, restart", "heal.actions": "rollback", "heal.max_memory": "512MiB", "heal.manual_stop": "ignore", "interval": "3s", "timeout": "2s", "failure_threshold": "7", "success_threshold": "8",
		"start_period": "4s", "expect.status": "204", "expect.body": "ok", "expect.latency": "5ms", "expect.certificate_days": "6"}
	c := plain("web")
	for _, name := range Labels() {
		value, is := values[strings.TrimPrefix(name, container.LabelPrefix)]
		if !is {
			t.Errorf("there is a label %s: give it a value here", name)
		}
		c.Labels[name] = value
	}
	rules := Rules{Mode: Labelled, Defaults: service.Default()}
	services, problems := rules.Plan([]Container{c, plain("b", "enable", "true")}, nil)
	want := service.Default()
	want.Name, want.Container, want.URL, want.Group, want.Note, want.DependsOn, want.Discovered = "n", "web", "http://h/", "g", "o", []string{"b"}, true
	want.Heal = service.Heal{Mode: service.Auto, Never: []string{"start", "restart"}, Actions: []string{"rollback"}, MaxMemory: 512 << 20, ManualStop: service.StopIgnore, Confirm: true}
	want.Interval, want.Timeout, want.FailureThreshold, want.SuccessThreshold = 3*time.Second, 2*time.Second, 7, 8
	want.StartPeriod = 4 * time.Second
	want.Expect = service.Expect{Status: service.StatusRange{{204, 204}}, Body: "ok", Latency: 5 * time.Millisecond, CertificateDays: 6}
	if len(problems) > 0 || len(services) != 2 || !reflect.DeepEqual(services[1], want) {
		t.Errorf("got %v and\n%+v, want\n%+v", problems, services, want)
	}
}

// TestNoLabelChecksThisMachine has a label name every kind of check that does.
func TestNoLabelChecksThisMachine(t *testing.T) {
	local := []string{service.SchemeDocker}
	for _, kind := range check.Kinds {
		if kind.Local {
			local = append(local, kind.Schemes...)
		}
	}
	if !slices.Contains(local, "disk") {
		t.Errorf("disk:// is not among %v", local)
	}
	for _, scheme := range local {
		for _, written := range []string{scheme, strings.ToUpper(scheme)} {
			services, problems := Rules{Mode: Labelled, Defaults: service.Default()}.Plan([]Container{plain("web", "url", written+":///etc")}, nil)
			if len(services) != 1 || services[0].URL != "" || len(problems) != 1 {
				t.Errorf("%s: %+v, %v", written, services, problems)
			}
		}
	}
}

// TestDefaultsSendNothingElsewhere: a label says where a check goes, so what
// the configuration sends with its own checks stays there.
func TestDefaultsSendNothingElsewhere(t *testing.T) {
	defaults := service.Default()
	defaults.Interval, defaults.Timeout, defaults.FailureThreshold, defaults.Group = time.Second, 5*time.Second, 9, "mine"
	defaults.Request = service.Request{Bearer: "s3cret", Headers: map[string]string{"Cookie": "s3cret"}, Body: "s3cret"}
	defaults.TLS, defaults.Chaos = service.TLS{Cert: "/secret", Key: "/secret", Insecure: true}, true
	defaults.Heal.Mode, defaults.Heal.Self, defaults.Heal.Confirm = service.Auto, true, true
	services, _ := Rules{Mode: Labelled, Defaults: defaults}.Plan([]Container{plain("web", "url", "http://elsewhere/")}, nil)
	want := service.Default()
	want.Name, want.Container, want.URL, want.Group, want.Discovered = "web", "web", "http://elsewhere/", "mine", true
	want.Interval, want.Timeout, want.FailureThreshold, want.Heal.Mode = time.Second, time.Second, 9, service.Observe
	if !reflect.DeepEqual(services, []service.Definition{want}) {
		t.Errorf("got\n%+v\nwant\n%+v", services, want)
	}
}

// FuzzPlan: whatever labels say, what is discovered is valid, observed unless
// asked otherwise, takes no configured name, and has no circle.
func FuzzPlan(f *testing.F) {
	f.Add("name", "web", "heal", "auto", "depends_on", "configured, b", "shop", "web", uint8(1), true)
	f.Add("url", "http://ann:pw@h:80/?a=b", "interval", "1ms", "name", "configured", "a", "b", uint8(0), false)
	f.Add("expect.body", "(", "expect.status", "99", "heal", "", "", "", uint8(9), true)
	f.Add("enable", "maybe", "note", "\x1b[31mred\u202e", "url", "docker://b", "shop", "a/b", uint8(2), false)
	f.Fuzz(func(t *testing.T, l1, v1, l2, v2, l3, v3, project, of string, n uint8, all bool) {
		hostile := plain("hostile", l1, v1, l2, v2, l3, v3)
		hostile.Project, hostile.Service, hostile.Number, hostile.DependsOn = project, of, int(n), []string{v3, of}
		twin := replica("shop", "web", 2, l1, v1, l3, v3)
		configured := service.Default()
		configured.Name, configured.Container, configured.URL = "configured", "mine", "http://h/"
		rules := Rules{Mode: Labelled, Defaults: service.Default(), Configured: []service.Definition{configured}}
		if all {
			rules.Mode = All
		}
		containers := []Container{hostile, twin, plain("b", "depends_on", "hostile, shop/web"), plain("mine", l2, v2)}
		services, problems := rules.Plan(containers, nil)
		again, same := rules.Plan(containers, nil)
		if !reflect.DeepEqual(services, again) || !reflect.DeepEqual(problems, same) {
			t.Fatal("the same containers give two plans")
		}
		names, used := map[string]service.Definition{"configured": configured}, map[string]bool{"mine": true}
		for _, d := range services {
			if wrong := slices.Concat(d.Problems(), check.Problems(d)); len(wrong) > 0 {
				t.Errorf("%s is not valid: %v", d.Name, wrong)
			}
			if _, taken := names[d.Name]; taken || d.Container != "" && used[d.Container] || !d.Discovered {
				t.Errorf("%+v takes what is taken", d)
			}
			names[d.Name], used[d.Container] = d, true
			i := slices.IndexFunc(containers, func(c Container) bool { return c.Name == d.Container })
			if asked := i >= 0 && containers[i].Labels["logstream.heal"] == "auto"; d.Heal.Mode != service.Observe && (d.Heal.Mode != service.Auto || !asked) {
				t.Errorf("%s is in mode %q", d.Name, d.Heal.Mode)
			}
			if d.TLS != (service.TLS{}) || d.Chaos || d.Heal.Self || len(d.Request.Headers) > 0 || d.Scheme() == service.SchemeDocker {
				t.Errorf("a label allowed what none may: %+v", d)
			}
			if _, err := event.DecodeService(event.Encode(event.Service{Service: d.Name, Definition: d.Masked(), Status: event.Up})); err != nil {
				t.Errorf("it cannot be published: %v", err)
			}
		}
		var depth func(name string, left int)
		depth = func(name string, left int) {
			if left < 0 {
				t.Fatal("there is a circle of dependencies")
			}
			for _, needed := range names[name].DependsOn {
				if _, is := names[needed]; !is {
					t.Errorf("%s needs %q, which there is not", name, needed)
				}
				depth(needed, left-1)
			}
		}
		for name := range names {
			depth(name, len(names))
		}
		for _, p := range problems {
			if s := p.String(); len(s) > 2000 || strings.ContainsAny(s, "\n\x1b") {
				t.Errorf("a problem cannot be shown: %q", s)
			}
		}
	})
}
