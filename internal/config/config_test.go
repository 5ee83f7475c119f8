package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/hook"
	"logstream/internal/service"
	"logstream/monitor/check"
)

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, set := vars[name]; return value, set }
}

// parsed is the configuration that content gives, without a mistake.
func parsed(t *testing.T, content string, vars map[string]string) Config {
	t.Helper()
	c, report := Parse("config.yaml", []byte(content), environment(vars))
	for _, f := range append(report.Errors, report.Warnings...) {
		t.Error(f)
	}
	if len(report.Errors) > 0 {
		t.FailNow()
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := parsed(t, "services: [{name: a, url: 'http://localhost:1'}]", nil)
	want := service.Default()
	want.Name, want.URL = "a", "http://localhost:1"
	if !reflect.DeepEqual(c.Services, []service.Definition{want}) {
		t.Errorf("got %+v, want %+v", c.Services, want)
	}
	if c.Host != "local" || c.Healer.Mode != service.Observe || c.Dashboard.Listen != "127.0.0.1:5000" || c.Bus.Embedded.Retention != 24*time.Hour {
		t.Errorf("got %+v", c)
	}
}

func TestEverythingDecodes(t *testing.T) {
	c := parsed(t, `
instance: east-1
host: rack.7
bus:
  brokers: [kafka-1:9092, "kafka-2:9092"]
  embedded: {listen: "127.0.0.1:0", data: /tmp/x, retention: 1h, max_size: 8MiB, sync: true}
  secret: ${SECRET}
docker: {host: "unix:///run/docker.sock"}
monitor: {connections_per_host: 8}
healer:
  mode: auto
  manual_grace: 1s
  verify: {for: 5s, successes: 2}
  quiet: 1m
  budget: {attempts: 2, per_hour: 60, host_per_minute: 30, cooldown: 10s}
dashboard: {listen: "0.0.0.0:80", token: a-token-of-some-length}
services:
- name: a
  url: https://localhost
  container: shop/a
  expect: {status: "200-299,404", latency: 800ms}
  heal: {mode: observe, never: [restart], manual_stop: always, confirm: false, self: true}
  chaos: true
- {name: b, url: "http://b", interval: 10s, expect: {status: 204}}
defaults: {interval: 3s, timeout: 1500ms, group: shop, heal: {never: [unpause]}}
`, map[string]string{"SECRET": "sixteen characters: [not, yaml]"})
	a, b := c.Services[0], c.Services[1]
	if a.Interval != 3*time.Second || a.Timeout != 1500*time.Millisecond || a.Group != "shop" || a.Container != "shop/a" ||
		a.Expect.Status.String() != "200-299,404" || a.Expect.Latency != 800*time.Millisecond || !a.Chaos ||
		!reflect.DeepEqual(a.Heal, service.Heal{Mode: service.Observe, Never: []string{"restart"}, ManualStop: service.StopAlways, Self: true}) {
		t.Errorf("first service: %+v", a)
	}
	if b.Interval != 10*time.Second || b.Expect.Status.String() != "204" || b.Heal.Never[0] != "unpause" || !b.Heal.Confirm || b.Chaos {
		t.Errorf("second service: %+v", b)
	}
	if c.Bus.Brokers.String() != "kafka-1:9092,kafka-2:9092" || c.Bus.Secret != "sixteen characters: [not, yaml]" || !c.Bus.Embedded.Sync ||
		c.Bus.Embedded.MaxSize != 8<<20 || c.Docker.Host != "unix:///run/docker.sock" || c.Monitor.ConnectionsPerHost != 8 || c.Healer.Budget.PerHour != 60 ||
		c.Instance != "east-1" || c.Host != "rack.7" || c.Dashboard.Token != "a-token-of-some-length" {
		t.Errorf("got %+v", c)
	}
}

func TestHooksDecode(t *testing.T) {
	c := parsed(t, good+"hooks:\n- {name: kuma, kind: uptime-kuma, token: '${KUMA}', services: {My Shop: a, other: '${OTHER}'}}\n",
		map[string]string{"KUMA": "0123456789abcdef", "OTHER": "b"})
	want := []hook.Config{{Name: "kuma", Kind: hook.UptimeKuma, Token: "0123456789abcdef", Services: hook.Names{"My Shop": "a", "other": "b"}}}
	if !reflect.DeepEqual(c.Hooks, want) {
		t.Errorf("got %+v", c.Hooks)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	c := parsed(t, `
services:
- &first {name: a, url: "http://a", interval: 3s, expect: &fast {latency: 1s}}
- {<<: *first, name: b}
- {<<: [{timeout: 2s}, *first], name: c, url: "http://c", expect: *fast}
`, nil)
	b, last := c.Services[1], c.Services[2]
	if b.Name != "b" || b.URL != "http://a" || b.Interval != 3*time.Second || b.Expect.Latency != time.Second {
		t.Errorf("second service: %+v", b)
	}
	if last.URL != "http://c" || last.Timeout != 2*time.Second || last.Interval != 3*time.Second || last.Expect.Latency != time.Second {
		t.Errorf("third service: %+v", last)
	}
}

// good is a service without a mistake, for the tables below.
const good = "services: [{name: a, url: 'http://a'}]\n"

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"empty file":       {"", `config.yaml:1:1: is empty: it needs at least services, a list of name and url`},
		"comments only":    {"# nothing\n", `config.yaml:1:1: is empty: it needs at least services, a list of name and url`},
		"null":             {"~", `config.yaml:1:1: is empty: it needs at least services, a list of name and url`},
		"a list":           {"- a\n", `config.yaml:1:1: must be a section of keys, such as services, not a list`},
		"a word":           {"payment\n", `config.yaml:1:1: "payment" must be a section of keys, such as services, not a single value`},
		"not YAML":         {"services: [\n", `config.yaml:1:1: is not valid YAML: did not find expected node content`},
		"not YAML further": {"bus: {}\nhost: a: b\n", `config.yaml:2:1: is not valid YAML: mapping values are not allowed in this context`},
		"tab":              {"bus:\n\tsecret: x\n", `config.yaml:2:1: is not valid YAML: it is indented with a tab; use spaces`},
		"bytes":            {"\xff\xfe\xff", `config.yaml:1:1: is not valid YAML: incomplete UTF-16 character`},
		"second document":  {good + "---\nhost: b\n", `config.yaml:2:1: begins a second YAML document; a configuration has only one`},

		"unknown key":            {good + "helaer: {}\n", `config.yaml:2:1: helaer: unknown key; did you mean healer?`},
		"unknown key, far":       {good + "kubernetes: {}\n", `config.yaml:2:1: kubernetes: unknown key; the keys here are instance, host, bus, docker, monitor, healer, dashboard, hooks, notify, defaults, services`},
		"unknown key, deeper":    {good + "mode: auto\n", `config.yaml:2:1: mode: unknown key; did you mean healer.mode?`},
		"unknown key, below":     {"services: [{name: a, url: 'http://a', mode: auto}]", `config.yaml:1:39: services[0].mode: unknown key; did you mean services[0].heal.mode?`},
		"mistyped and missing":   {"services: [{name: a, ulr: 'http://a'}]", `config.yaml:1:22: services[0].ulr: unknown key; did you mean url?`},
		"unknown key, service":   {"services:\n- name: a\n  url: http://a\n  intervall: 2s\n", `config.yaml:4:3: services[0].intervall: unknown key; did you mean interval?`},
		"key of a later day":     {good + "alerts: []\n", `config.yaml:2:1: alerts: unknown key; the keys here are instance, host, bus, docker, monitor, healer, dashboard, hooks, notify, defaults, services`},
		"receiver without a url": {good + "notify: {receivers: [{name: a}]}\n", `config.yaml:2:22: notify.receivers[0].url: is missing: such as ntfy://ntfy.sh/my-topic, or url_file with a file that holds it; see docs/notifications.md`},
		"receiver of no kind":    {good + "notify:\n  receivers:\n    - url: discrd://hunter2hunter2@id\n", `config.yaml:4:12: notify.receivers[0].url: "***" begins with an unknown kind of receiver; did you mean discord://?`},
		"receiver's bad address": {good + "notify: {receivers: [{url: \"telegram://hunter2hunter2@telegram\"}]}\n", `config.yaml:2:28: notify.receivers[0].url: "***" has no bot token; for example telegram://123456:ABC-token@telegram?chats=@my_channel`},
		"receiver's event":       {good + "notify: {receivers: [{url: \"https://a/b\", on: [resolved, escalate]}]}\n", `config.yaml:2:58: notify.receivers[0].on[1]: "escalate" is not an event; use some of opened, escalated, resolved, approval, lost, back, digest; did you mean escalated?`},
		"receiver's template":    {good + "notify:\n  receivers:\n    - url: https://a/b\n      templates:\n        resolved: \"{{.Servise}}\"\n", `config.yaml:6:19: notify.receivers[0].templates.resolved: "{{.Servise}}" is not a valid template: can't evaluate field Servise in type Note`},
		"template of no event":   {good + "notify: {receivers: [{url: \"https://a/b\", templates: {reslved: x}}]}\n", `config.yaml:2:64: notify.receivers[0].templates.reslved: "x" is not an event; use some of opened, escalated, resolved, approval, lost, back, digest, summary; did you mean resolved?`},
		"receiver twice":         {good + "notify: {receivers: [{url: \"https://a/b\"}, {url: \"https://c/d\"}]}\n", `config.yaml:2:44: notify.receivers[1].name: "webhook" is already the name of another receiver; give each a name of its own`},
		"quiet hours":            {good + "notify: {receivers: [{url: \"https://a/b\", quiet: {from: ten, to: \"07:00\"}}]}\n", `config.yaml:2:57: notify.receivers[0].quiet.from: "ten" is not a time of a day such as 22:00`},
		"heartbeat":              {good + "notify: {heartbeat: hunter2hunter2}\n", `config.yaml:2:21: notify.heartbeat: "***" is not an address such as https://hc-ping.com/…`},
		"file of a receiver":     {good + "notify: {receivers: [{url_file: /nowhere/url}]}\n", `config.yaml:2:33: notify.receivers[0].url_file: "/nowhere/url" cannot be read: no such file or directory`},
		"key with odd letters":   {good + "\"a\\eb\": 1\n", `config.yaml:2:1: a\x1bb: unknown key; the keys here are instance, host, bus, docker, monitor, healer, dashboard, hooks, notify, defaults, services`},
		"default of a name":      {good + "defaults: {name: a}\n", `config.yaml:2:12: defaults.name: can be set only for a service, not as a default`},
		"key twice":              {good + "host: a\nhost: b\n", `config.yaml:3:1: host: is given twice, first in line 2`},
		"section for text":       {good + "host: {name: a}\n", `config.yaml:2:7: host: must be a single value, not a section of keys`},
		"text for a section":     {good + "bus: localhost:9092\n", `config.yaml:2:6: bus: "localhost:9092" must be a section of keys, not a single value`},
		"text for a list":        {"services: payment\n", `config.yaml:1:11: services: "payment" must be a list, not a single value`},
		"two containers":         {"services: [{name: a, url: 'http://a', container: [a, b]}]", `config.yaml:1:50: services[0].container: must be a single value, not a list`},
		"merge of text":          {good + "bus: {<<: x}\n", `config.yaml:2:11: bus.<<: "x" must name a section of keys, or a list of them`},
		"bad duration":           {good + "healer: {quiet: 20}\n", `config.yaml:2:17: healer.quiet: "20" is not a duration such as 500ms, 2s or 1m30s; did you mean 20s?`},
		"bad number":             {good + "healer: {budget: {attempts: few}}\n", `config.yaml:2:29: healer.budget.attempts: "few" is not a whole number`},
		"bad truth":              {"services: [{name: a, url: 'http://a', chaos: yes}]", `config.yaml:1:46: services[0].chaos: "yes" is neither true nor false; did you mean true?`},
		"bad size":               {good + "bus: {embedded: {max_size: 256 megabytes}}\n", `config.yaml:2:28: bus.embedded.max_size: "256 megabytes" is not a size such as 256MiB (a whole number and B, KiB, MiB, GiB or TiB)`},
		"bad broker":             {good + "bus: {brokers: 'kafka'}\n", `config.yaml:2:16: bus.brokers: "kafka" is not host:port, such as localhost:9092`},
		"bad status range":       {"services: [{name: a, url: 'http://a', expect: {status: 2xx}}]", `config.yaml:1:56: services[0].expect.status: "2xx" is not a range of HTTP status codes such as 200-399 or 200,204`},
		"duration out of range":  {"services: [{name: a, url: 'http://a', interval: 5ms}]", `config.yaml:1:49: services[0].interval: "5ms" must be between 100ms and 24h`},
		"default out of range":   {good + "defaults: {interval: 5ms}", `config.yaml:2:22: defaults.interval: "5ms" must be between 100ms and 24h`},
		"healer out of range":    {good + "healer: {manual_grace: 90m}", `config.yaml:2:24: healer.manual_grace: "90m" must be between 0s and 10m`},
		"unknown healer mode":    {good + "healer: {mode: aprove}", `config.yaml:2:16: healer.mode: "aprove" is not a mode; use observe, approve or auto`},
		"no time to approve":     {good + "healer: {approval_timeout: 0s}", `config.yaml:2:28: healer.approval_timeout: "0s" must be between 1s and 168h`},
		"unknown action":         {"services:\n- name: a\n  url: http://a\n  heal:\n    never:\n    - restart\n    - reboot\n", `config.yaml:7:7: services[0].heal.never: "reboot" is not an action; use one of start, unpause, connect, restart, kill_start, run, raise_memory, rollback, recreate`},
		"no url":                 {"services: [{name: a}]", `config.yaml:1:12: services[0].url: is missing: a service needs a url such as http://localhost:8080, or a container`},
		"url null":               {"services: [{name: a, url: }]", `config.yaml:1:12: services[0].url: is missing: a service needs a url such as http://localhost:8080, or a container`},
		"url with a password":    {"services: [{name: a, url: 'ftp://joe:secret@a'}]", `config.yaml:1:27: services[0].url: "ftp://joe:***@a" has the scheme "ftp"; use one of ` + strings.Join(check.Schemes(), ", ")},
		"a dependency":           {"services: [{name: a, url: 'http://a', depends_on: [b]}, {name: bb, url: 'http://b'}]", `config.yaml:1:52: services[0].depends_on[0]: "b" is not the name of a service; did you mean bb?`},
		"a circle":               {"services: [{name: b, url: 'http://a', depends_on: [a]}, {name: a, url: 'http://b', depends_on: [b]}]", `config.yaml:1:96: services[1].depends_on: is a dependency cycle: a needs b needs a`},
		"headers as a list":      {"services: [{name: a, url: 'http://a', request: {headers: [a]}}]", `config.yaml:1:58: services[0].request.headers: must be a section of keys, not a list`},
		"a header as a list":     {"services: [{name: a, url: 'http://a', request: {headers: {a: [s3cret]}}}]", `config.yaml:1:62: services[0].request.headers.a: must be a single value, not a list`},
		"too many connections":   {"monitor: {connections_per_host: -1}\nservices: [{name: a, url: 'http://a'}]", `config.yaml:1:33: monitor.connections_per_host: "-1" must be between 1 and 10000, or 0 for no limit`},
		"no discovery":           {"docker: {discover: lable}\nservices: [{name: a, url: 'http://a'}]", `config.yaml:1:20: docker.discover: "lable" is not a way to discover containers; use one of off, labelled, all`},
		"url, no scheme":         {"services: [{name: a, url: 'localhost:8080'}]", `config.yaml:1:27: services[0].url: "localhost:8080" does not begin with http:// or https://; did you mean http://localhost:8080?`},
		"url, only an address":   {"services: [{name: a, url: '127.0.0.1:8080/health'}]", `config.yaml:1:27: services[0].url: "127.0.0.1:8080/health" does not begin with http:// or https://; did you mean http://127.0.0.1:8080/health?`},
		"unknown mode":           {"services: [{name: a, url: 'http://a', heal: {mode: atuo}}]", `config.yaml:1:52: services[0].heal.mode: "atuo" is not a mode; use one of observe, approve, auto; did you mean auto?`},
		"reserved name":          {"services: [{name: logstream, url: 'http://a'}]", `config.yaml:1:19: services[0].name: "logstream" is a reserved name`},
		"bad container":          {"services: [{name: a, url: 'http://a', container: 'a b'}]", `config.yaml:1:50: services[0].container: "a b" is neither a container's name, such as payment-service, nor project/service`},
		"bad instance":           {good + "instance: 'a b'", `config.yaml:2:11: instance: "a b" must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or a digit; did you mean a-b?`},
		"two of one name": {"services:\n- {name: a, url: 'http://a', container: x}\n- {name: a, url: 'http://a', container: y}\n",
			`config.yaml:3:10: services[1].name: "a" is already the name of another service (line 2): names must be unique`},
		"two of one container": {"services:\n- {name: a, url: 'http://a', container: x}\n- {name: b, url: 'http://a', container: x}\n",
			`config.yaml:3:41: services[1].container: "x" is already the container of another service (line 2): a container belongs to one service`},

		"listen to all":      {good + "dashboard: {listen: '203.0.113.1:5000'}", `config.yaml:2:21: dashboard.listen: "203.0.113.1:5000" is reachable from other machines, and the page can stop containers: set dashboard.token, dashboard.users or dashboard.proxy, or listen on loopback, such as 127.0.0.1:5000`},
		"listen, no host":    {good + "dashboard: {listen: ':80'}", `config.yaml:2:21: dashboard.listen: ":80" is reachable from other machines, and the page can stop containers: set dashboard.token, dashboard.users or dashboard.proxy, or listen on loopback, such as 127.0.0.1:5000`},
		"listen, no port":    {good + "dashboard: {listen: localhost}", `config.yaml:2:21: dashboard.listen: "localhost" is not an address with a port, such as 127.0.0.1:5000`},
		"listen, high port":  {good + "dashboard: {listen: 'localhost:70000'}", `config.yaml:2:21: dashboard.listen: "localhost:70000" has the port "70000", which is not a number up to 65535`},
		"token with a space": {good + "dashboard: {token: 'hunter2 '}", `config.yaml:2:20: dashboard.token: "***" begins or ends with white space, or holds a line break`},
		"short secret":       {good + "bus: {secret: hunter2}", `config.yaml:2:15: bus.secret: "***" has 7 characters; at least 16 are required`},
		"unknown codec":      {good + "bus: {compression: brotli}", `config.yaml:2:20: bus.compression: "brotli" must be none, gzip, lz4, snappy or zstd`},
		"broker to all":      {good + "bus: {embedded: {listen: '0.0.0.0:9092'}}", `config.yaml:2:26: bus.embedded.listen: "0.0.0.0:9092" is not a loopback address: the embedded broker has no authentication, so it listens only on 127.0.0.1 or ::1; for clients on other machines run Kafka and set bus.brokers`},

		"unknown kind of hook":            {good + "hooks: [{name: a, kind: uptime-kumo, token: 0123456789abcdef}]", `config.yaml:2:25: hooks[0].kind: "uptime-kumo" is not a kind of hook; use one of alertmanager, gatus, uptime-kuma, generic; did you mean uptime-kuma?`},
		"a token that begins as an alias": {good + "dashboard: {token: *hunter2secret}", `config.yaml:1:1: is not valid YAML: unknown anchor '***' referenced`},
		"short hook token":                {good + "hooks: [{name: a, kind: gatus, token: hunter2}]", `config.yaml:2:39: hooks[0].token: "***" must be 16 or more printable characters without spaces`},
		"two hooks of a token":            {good + "hooks:\n- {name: a, kind: gatus, token: 0123456789abcdef}\n- {name: b, kind: generic, token: 0123456789abcdef}", `config.yaml:4:35: hooks[1].token: "***" is already the token of another hook (line 3): each sender needs its own`},
		"a hook of our name":              {good + "instance: a\nhooks: [{name: a, kind: gatus, token: 0123456789abcdef}]", `config.yaml:3:16: hooks[0].name: "a" is also the name of this instance: reports of the hook would count as LogStream's own checks; choose another name`},
		"a hook's reserved":               {good + "hooks: [{name: a, kind: gatus, token: 0123456789abcdef, services: {x: logstream}}]", `config.yaml:2:67: hooks[0].services: maps "x" to a name that is not valid: "logstream" is a reserved name`},
		"a token for a section":           {good[:len(good)-3] + ", request: s3cret}]", `config.yaml:1:48: services[0].request: "***" must be a section of keys, not a single value`},
		"a hook with the page's token":    {good + "dashboard: {token: 0123456789abcdef}\nhooks: [{name: a, kind: gatus, token: 0123456789abcdef}]", `config.yaml:3:39: hooks[0].token: "***" is also a token of the dashboard: the monitor that reports could then also read and repair; give the hook a token of its own`},

		"variable not set":     {good + "host: ${RACK}\n", `config.yaml:2:7: host: "${RACK}" needs the environment variable RACK, which is not set; set it, or write ${RACK:-} for an empty value`},
		"variable required":    {good + "host: ${RACK:?name the rack}\n", `config.yaml:2:7: host: "${RACK:?name the rack}" needs the environment variable RACK: name the rack`},
		"variable not closed":  {good + "host: ${RACK\n", `config.yaml:2:7: host: "${RACK" has a ${ without a }; for a plain dollar write $$`},
		"variable of no form":  {good + "host: ${RACK+x}\n", `config.yaml:2:7: host: "${RACK+x}" has a ${…} that is not ${NAME}, ${NAME:-default} or ${NAME:?message}; for a plain dollar write $$`},
		"variable's bad value": {good + "host: '${BAD}'\n", `config.yaml:2:7: host: "{x: y}" must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or a digit; did you mean x-y?`},
	} {
		t.Run(name, func(t *testing.T) {
			_, report := Parse("config.yaml", []byte(c.content), environment(map[string]string{"BAD": "{x: y}"}))
			if len(report.Errors) != 1 || report.Errors[0].String() != c.want || len(report.Warnings) != 0 {
				t.Errorf("got  %v\nwant [%s]", report, c.want)
			}
		})
	}
}

func TestAllErrorsAtOnceInOrder(t *testing.T) {
	_, report := Parse("c.yaml", []byte(`
services:
- name: a
  url: http://a
  intervall: 2s
  timeout: soon
- {name: a, url: http://b}
defaults: {success_threshold: 0}
healer: {mode: atuo}
`), environment(nil))
	var got []string
	for _, f := range report.Errors {
		got = append(got, strings.SplitN(f.String(), " ", 2)[0])
	}
	want := "c.yaml:5:3: c.yaml:6:12: c.yaml:7:10: c.yaml:8:31: c.yaml:9:16:"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s\n%v", strings.Join(got, " "), want, report)
	}
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"no services key":        {"host: a\n", []string{"config.yaml:1:1: warning: services: is empty: nothing is monitored"}},
		"an empty list":          {"host: a\nservices: []\n", []string{"config.yaml:2:11: warning: services: is empty: nothing is monitored"}},
		"services is null":       {"host: a\nservices:\n", []string{"config.yaml:1:1: warning: services: is empty: nothing is monitored"}},
		"a short interval alone": {"services: [{name: a, url: 'http://a', interval: 1s}]", nil},
		"a time-out as long":     {"services: [{name: a, url: 'http://a', interval: 1s, timeout: 1s}]", nil},
		"a longer time-out": {"services:\n- name: a\n  url: http://a\n  interval: 1s\n  timeout: 3000ms\n",
			[]string{`config.yaml:5:12: warning: services[0].timeout: "3000ms" is longer than the interval of 1s: while a service hangs, it is checked only every 3s`}},
		"a longer time-out for all": {"defaults: {timeout: 2s}\nservices:\n- {name: a, url: 'http://a', interval: 1s}\n- {name: b, url: 'http://b', interval: 1s}\n- {name: c, url: 'http://c'}\n",
			[]string{`config.yaml:1:21: warning: defaults.timeout: "2s" is longer than the interval of 1s: while a service hangs, it is checked only every 2s`}},
		"a token that can be guessed": {"dashboard: {token: hunter2}\nservices: [{name: a, url: 'http://a'}]\n",
			[]string{`config.yaml:1:20: warning: dashboard.token: "***" has fewer than 16 characters, so it can be guessed: create one with openssl rand -hex 16`}},
		"a token that has expired": {"dashboard:\n  tokens:\n    - {name: old, token: 0123456789abcdef, role: viewer, expires: 2020-01-31}\n    - {name: new, token: 0123456789abcdeg, role: viewer, expires: 9999-01-31}\nservices: [{name: a, url: 'http://a'}]\n",
			[]string{`config.yaml:3:67: warning: dashboard.tokens[0].expires: "2020-01-31" has passed, so this token is refused: set a later date, or remove the token`}},
		"a password that is sent as it is": {"bus:\n  brokers: 'localhost:1, kafka:9092'\n  sasl: {mechanism: PLAIN, username: a, password: hunter2}\nservices: [{name: a, url: 'http://a'}]\n",
			[]string{`config.yaml:3:21: warning: bus.sasl.mechanism: "PLAIN" sends the password unencrypted, because bus.tls.enabled is false: anyone who can read this traffic can use it on every topic; set bus.tls.enabled: true, or a mechanism that does not send it, such as SCRAM-SHA-512`}},
		"one that stays on this machine": {"bus: {brokers: '127.0.0.1:1', sasl: {mechanism: PLAIN, username: a, password: hunter2}}\nservices: [{name: a, url: 'http://a'}]\n", nil},
		"one that is not sent":           {"bus: {brokers: 'kafka:1', sasl: {mechanism: SCRAM-SHA-256, username: a, password: hunter2}}\nservices: [{name: a, url: 'http://a'}]\n", nil},
		"one that is encrypted":          {"bus: {brokers: 'kafka:1', tls: {enabled: true}, sasl: {mechanism: PLAIN, username: a, password: hunter2}}\nservices: [{name: a, url: 'http://a'}]\n", nil},
		"none where there are errors":    {"services: []\nhots: a\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, report := Parse("config.yaml", []byte(c.content), environment(nil))
			var got []string
			for _, f := range report.Warnings {
				got = append(got, f.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestDefaultTimeoutIsNotLongerThanTheInterval(t *testing.T) {
	for content, want := range map[string]time.Duration{
		"services: [{name: a, url: 'http://a'}]":                                         5 * time.Second,
		"services: [{name: a, url: 'http://a', interval: 2s}]":                           2 * time.Second,
		"defaults: {interval: 3s}\nservices: [{name: a, url: 'http://a'}]":               3 * time.Second,
		"defaults: {interval: 3s}\nservices: [{name: a, url: 'http://a', interval: 1m}]": 5 * time.Second,
		"services: [{name: a, url: 'http://a', interval: 1m, timeout: 20s}]":             20 * time.Second,
		"defaults: {timeout: 7s}\nservices: [{name: a, url: 'http://a', timeout: }]":     7 * time.Second,
		"defaults: {timeout: 7s}\nservices: [{name: a, url: 'http://a', timeout: 1s}]":   time.Second,
		"defaults: &d {interval: 2s}\nservices: [{name: a, url: 'http://a', <<: *d}]":    2 * time.Second,
		"services: [{name: a, url: 'http://a', interval: 2s, <<: {timeout: 1500ms}}]":    1500 * time.Millisecond,
	} {
		if c := parsed(t, content, nil); c.Services[0].Timeout != want {
			t.Errorf("%s\ntime-out %s, want %s", content, c.Services[0].Timeout, want)
		}
	}
}

func TestBounds(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		n, m := string(rune('0'+i)), string(rune('1'+i))
		laughs += "a" + m + ": &a" + m + " [" + strings.TrimSuffix(strings.Repeat("*a"+n+", ", 10), ", ") + "]\n"
	}
	merges := "bus: &m0 {secret: aaaaaaaaaaaaaaaa}\n"
	for i := range 9 {
		n, m := string(rune('0'+i)), string(rune('1'+i))
		merges += "x" + m + ": &m" + m + " {<<: [" + strings.TrimSuffix(strings.Repeat("*m"+n+", ", 10), ", ") + "]}\n"
	}
	for name, c := range map[string]struct{ content, want string }{
		"laughs as brokers": {laughs + "bus: {brokers: *a9}\n", "each alias counts"},
		"laughs as merges":  {merges + "healer: {<<: *m9}\n", "each alias counts"},
		"a circle":          {"bus: {brokers: &a [*a]}\n", "is nested deeper than 20"},
		"a merged circle":   {"bus: &a {<<: *a}\n", "merges deeper than 20"},
		"many mistakes":     {many(), "unknown key"},
		"long text":         {"host: " + strings.Repeat("x", 5000) + "\n", "is longer than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, report := Parse("config.yaml", []byte(c.content), environment(nil))
			errs := report.Errors
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if len(errs) == 0 || len(errs) > maxErrors {
				t.Fatalf("%d errors", len(errs))
			}
			for _, err := range errs {
				if strings.Contains(err.String(), c.want) {
					return
				}
			}
			t.Errorf("none of %d errors says %q: the first is %v", len(errs), c.want, errs[0])
		})
	}
}

func many() string {
	var b strings.Builder
	for i := range 20_000 {
		b.WriteString("k" + strings.Repeat("x", i%40) + string(rune('a'+i%26)) + time.Duration(i).String() + ": 1\n")
	}
	return b.String()
}

func TestExpand(t *testing.T) {
	vars := environment(map[string]string{"HOME": "/root", "EMPTY": "", "RISK": "${HOME} $$"})
	for in, want := range map[string]string{
		"":                    "",
		"plain":               "plain",
		"${HOME}/x":           "/root/x",
		"${HOME}${HOME}":      "/root/root",
		"${EMPTY}":            "",
		"${EMPTY:-x y}":       "x y",
		"${NONE:-}":           "",
		"${NONE:-a:-b}":       "a:-b",
		"$${HOME}":            "${HOME}",
		"$$$${HOME}":          "$${HOME}",
		"cost: $5, $":         "cost: $5, $",
		"${RISK}":             "${HOME} $$",
		"${HOME:?is missing}": "/root",
	} {
		if got, err := expand(in, vars); got != want || err != nil {
			t.Errorf("expand(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	load := func(path string) []Finding { _, report := Load(path); return report.Errors }
	errs := load(filepath.Join(dir, "none.yaml"))
	if len(errs) != 1 || !strings.HasSuffix(errs[0].String(), "/none.yaml): write one with logstream init, give another file with --config, or try logstream run --demo") || errs[0].Line != 0 {
		t.Errorf("a missing file: %v", errs)
	}
	errs = load(dir)
	if len(errs) != 1 || !strings.Contains(errs[0].String(), "is a directory") {
		t.Errorf("a directory: %v", errs)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#", maxFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if errs = load(large); len(errs) != 1 || errs[0].Message != "is larger than 1048576 bytes" {
		t.Errorf("a large file: %v", errs)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("services: [{name: a, url: &u 'http://${X:-a}', <<: {chaos: true}}]\nbus: {brokers: *u}"))
	f.Add([]byte("bus: &a {<<: *a, embedded: {max_size: 8MiB}}"))
	f.Add([]byte("defaults: {interval: 2s\n\t}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, report := Parse("config.yaml", content, environment(map[string]string{"X": "x: [y"}))
		errs := report.Errors
		if len(errs) == 0 {
			for _, s := range c.Services {
				if problems := s.Problems(); problems != nil {
					t.Errorf("accepted a service with %v", problems)
				}
			}
			return
		}
		for i, err := range errs {
			if err.Message == "" || err.Line < 1 || err.Column < 1 {
				t.Errorf("an error without a place or a message: %+v", err)
			}
			if i > 0 && errs[i-1].Line > err.Line {
				t.Errorf("errors out of order: %v before %v", errs[i-1], err)
			}
			if strings.ContainsAny(err.String(), "\n\x1b") {
				t.Errorf("an error that is more than a line: %q", err.String())
			}
		}
	})
}

func TestMappingsAreEachServicesOwn(t *testing.T) {
	c, report := Parse("config.yaml", []byte("defaults: {request: {headers: {A: d}}}\nservices:\n"+
		"- {name: a, url: 'http://a', request: {headers: {Authorization: 'Bearer ${TOKEN}'}}}\n- {name: b, url: 'docker://shop/b'}"),
		func(name string) (string, bool) { return "s3cret", name == "TOKEN" })
	if len(report.Errors) > 0 {
		t.Fatal(report)
	}
	if got := c.Services[0].Request.Headers; len(got) != 1 || got["Authorization"] != "Bearer s3cret" {
		t.Errorf("the first has the headers %v", got)
	}
	if got := c.Services[1].Request.Headers; len(got) != 1 || got["A"] != "d" {
		t.Errorf("the second has the headers %v, want the default's", got)
	}
	if got := c.Services[1].Container; got != "shop/b" {
		t.Errorf("the container of docker://shop/b is %q", got)
	}
}
