package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is a direct dependency, as go list has it.
type module struct {
	Path, Version, Dir string
	Main, Indirect     bool
}

// reason is what a direct dependency is for, and why it and no other, or none.
type reason struct{ purpose, why string }

var reasons = map[string]reason{
	"github.com/IBM/sarama":                    {"writes to and reads from Kafka", "pure Go, so the binary stays static; manual control of what is sent when, and of what is read back"},
	"github.com/cenkalti/backoff/v5":           {"delays between attempts", "jitter and limits that are easy to get wrong"},
	"github.com/chromedp/cdproto":              {"tests only: Chromium's protocol", "belongs to chromedp"},
	"github.com/chromedp/chromedp":             {"tests only: the dashboard in a real browser", "needs neither Node nor a driver"},
	"github.com/containerd/errdefs":            {"kinds of errors of Docker's client", "what that client returns; its own helpers are deprecated"},
	"github.com/docker/docker":                 {"client of the Docker API", "see below"},
	"github.com/docker/go-connections":         {"addresses, ports and TLS of Docker's client", "types in that client's API"},
	"github.com/dustin/go-humanize":            {"sizes in sentences, and in urls of disk checks", "both directions, with the usual units"},
	"github.com/go-sql-driver/mysql":           {"checks of `mysql://` and `mariadb://`", "the usual driver; pure Go"},
	"github.com/gofrs/flock":                   {"lock on the data directory", "the same call on every system"},
	"github.com/google/jsonschema-go":          {"JSON Schema of the records and of the API", "makes schemas of Go types, so that they follow the code"},
	"github.com/gorilla/websocket":             {"the dashboard's live updates, `logstream tail`, checks of `ws://`", "server and client, with deadlines for each message"},
	"github.com/jackc/pgx/v5":                  {"checks of `postgres://`", "its messages over the check's own connection; pure Go"},
	"github.com/miekg/dns":                     {"checks of `dns://`", "any type of record from a given server, which the standard library cannot query"},
	"github.com/modelcontextprotocol/go-sdk":   {"`logstream mcp`", "the protocol's official SDK; its schemas are those of jsonschema-go, which LogStream uses anyway"},
	"github.com/netresearch/go-cron":           {"schedules of maintenance and of reports", "its parser and calendar; LogStream itself handles time zones and changes of the clocks"},
	"github.com/nicholas-fedor/shoutrrr":       {"sends notifications to Discord, Slack, ntfy, mail and others", "one form of address for two dozen services, in the fork that is maintained; webhooks and Telegram are sent without it, see `notify/send`"},
	"github.com/opencontainers/image-spec":     {"platform of a container that is created", "a type in the client's API"},
	"github.com/prometheus/client_golang":      {"`/metrics`", "the format's own library"},
	"github.com/prometheus/client_model":       {"metrics as they are gathered", "belongs to client_golang"},
	"github.com/rcrowley/go-metrics":           {"switches sarama's own metrics off", "sarama records them with it"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"tests only: validates records against the schemas", "another implementation than the one that made them"},
	"github.com/spf13/cobra":                   {"commands, help and shell completion", "the usual library"},
	"github.com/spf13/pflag":                   {"errors of flags, by kind", "belongs to cobra"},
	"github.com/tidwall/gjson":                 {"paths of `expect.json`", "reads one value of a large answer without decoding all of it"},
	"github.com/twmb/franz-go":                 {"names of Kafka's errors and versions; tests read Kafka by a second client", "independent of sarama, so that a test does not share its mistakes"},
	"github.com/twmb/franz-go/pkg/kfake":       {"the embedded broker", "a Kafka broker in pure Go; keeps its log on disk"},
	"github.com/twmb/franz-go/pkg/kmsg":        {"checks of `kafka://`", "one request over the check's own connection, which sarama does not offer"},
	"golang.org/x/crypto":                      {"hashes of passwords (bcrypt)", "the Go project's own; what other programs' hashes can be read with"},
	"github.com/xdg-go/scram":                  {"the SCRAM login at Kafka", "the client that sarama's interface is made for, and its own tests use"},
	"golang.org/x/crypto/x509roots/fallback":   {"certificate authorities where the system has none", "Mozilla's list, in the binary: an image without files can check `https://`"},
	"golang.org/x/tools":                       {"tests only: types of the code on each system", "the Go project's own"},
	"golang.org/x/net":                         {"ICMP messages; host names and headers of checks", "the Go project's own"},
	"golang.org/x/sync":                        {"groups of goroutines with an error", "the Go project's own"},
	"golang.org/x/sys":                         {"free space of a disk, the clock's state", "the Go project's own"},
	"golang.org/x/term":                        {"whether the output is a terminal", "the Go project's own"},
	"golang.org/x/time":                        {"rate limits of the dashboard", "the Go project's own"},
	"google.golang.org/grpc":                   {"checks of `grpc://`", "has the health protocol that is checked"},
	"google.golang.org/protobuf":               {"messages of that protocol", "belongs to grpc"},
	"gopkg.in/yaml.v3":                         {"config.yaml, with line and column of each value", "see below"},
	"modernc.org/sqlite":                       {"`logstream import uptime-kuma` reads its database", "SQLite in pure Go, so the binary stays static"},
}

const dependenciesHead = `# Dependencies

Made of go.mod and of the licence files of the modules by a test in ` + "`internal/docs`" + `; do not edit it. Indirect dependencies are in go.mod. What the page uses is in static/package.json, and unmodified under static/vendor: it has no build step, and loads nothing from elsewhere.

| module | version | licence | for | why |
|---|---|---|---|---|
`

const dependenciesNotes = `
## github.com/docker/docker

The module ended with v28.5.2: since Docker 29 the client is ` + "`github.com/moby/moby/client`" + `, with ` + "`github.com/moby/moby/api`" + `. It is kept for now because it negotiates down to API 1.24 and is what all tests on two engines (API 1.41 and newer) have run with; its successor accepts 1.40 and newer, so nothing that LogStream supports stands against the change. Only ` + "`internal/docker`" + ` imports it, so the change is one package.

Advisories against the module are about Docker's daemon, and have no fixed version under this path: CVE-2026-34040 (authorization plugins), CVE-2026-33997 (plugin privileges), CVE-2026-41567, CVE-2026-41568 and CVE-2026-42306 (` + "`docker cp`" + `). LogStream links the client, the API's types and ` + "`pkg/stdcopy`" + ` (a test holds that), and none of the daemon; it neither copies into containers nor handles plugins. A scanner that matches whole modules reports them all the same. They matter for the Docker engine itself: keep that up to date.

## gopkg.in/yaml.v3

Its repository has been archived since April 2025; ` + "`go.yaml.in/yaml/v3`" + ` continues it without a change of the API, and ` + "`go.yaml.in/yaml/v4`" + ` is its next version. It is kept for now because it works and reads only files of the operator's own, which are limited in size, depth and number of nodes. The change to v3 of the successor is one of import paths.

## Vulnerabilities

` + "`go run golang.org/x/vuln/cmd/govulncheck@latest ./...`" + ` reports the advisories that the code calls. It needs vuln.go.dev. It could not be reached from where this was written, so there is no result to show: the advisories above were collected by hand from public issue reports, and there may be others.
`

// TestTheDocumentOfDependencies: docs/dependencies.md has each direct dependency.
func TestTheDocumentOfDependencies(t *testing.T) {
	var out strings.Builder
	out.WriteString(dependenciesHead)
	modules := direct(t)
	for _, m := range modules {
		r, known := reasons[m.Path]
		if !known {
			t.Errorf("%s has no entry in reasons: what is it for, and why it?", m.Path)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", m.Path, strings.TrimSuffix(m.Version, "+incompatible"), licence(t, m.Dir), r.purpose, r.why)
	}
	for path := range reasons {
		if !slices.ContainsFunc(modules, func(m module) bool { return m.Path == path }) {
			t.Errorf("%s has an entry in reasons, and is no direct dependency", path)
		}
	}
	out.WriteString(dependenciesNotes)
	Check(t, "dependencies.md", out.String())
}

// TestNothingOfDockersDaemonIsLinked: of Docker's module the binary has the client
// and what it needs.
func TestNothingOfDockersDaemonIsLinked(t *testing.T) {
	const docker = "github.com/docker/docker/"
	linked := 0
	for _, path := range strings.Fields(goList(t, "-deps", ".")) {
		of, is := strings.CutPrefix(path, docker)
		if !is {
			continue
		}
		linked++
		if of != "client" && of != "api" && !strings.HasPrefix(of, "api/") && of != "pkg/stdcopy" {
			t.Errorf("%s is linked: docs/dependencies.md says that no such part of Docker is", path)
		}
	}
	if linked == 0 {
		t.Error("nothing of Docker's client is linked: this test looks at the wrong module")
	}
}

// direct are the direct dependencies, by path.
func direct(t *testing.T) []module {
	t.Helper()
	var all []module
	for decoder := json.NewDecoder(strings.NewReader(goList(t, "-m", "-json", "all"))); decoder.More(); {
		var m module
		if err := decoder.Decode(&m); err != nil {
			t.Fatal(err)
		}
		if !m.Main && !m.Indirect {
			all = append(all, m)
		}
	}
	return all
}

// goList runs go list in the module's folder.
func goList(t *testing.T, args ...string) string {
	t.Helper()
	list := exec.Command("go", append([]string{"list"}, args...)...)
	list.Dir = Root(t)
	var problems strings.Builder
	list.Stderr = &problems
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", list, err, &problems)
	}
	return string(out)
}

// licences are known by what their texts say, the more special ones first.
var licences = []struct{ name, says string }{
	{"MIT and Apache-2.0", "two different licenses: MIT and Apache"},
	{"Apache-2.0", "Apache License Version 2.0"},
	{"MPL-2.0", "Mozilla Public License Version 2.0"},
	{"BSD-3-Clause", "Neither the name of"},
	{"BSD-3-Clause", "names of its contributors may not be used"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
}

// licence is the licence in a module's folder.
func licence(t *testing.T, dir string) string {
	t.Helper()
	for _, name := range []string{"LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		text := strings.Join(strings.Fields(string(content)), " ")
		for _, l := range licences {
			if strings.Contains(text, l.says) {
				return l.name
			}
		}
	}
	t.Errorf("no known licence in %s", dir)
	return ""
}
