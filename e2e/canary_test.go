//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/twmb/franz-go/pkg/kgo"

	"logstream/e2e/images"
	"logstream/healer/llm/llmtest"
	"logstream/internal/event"
)

// canaries are secrets, by the place that they were put: no two are the same, so
// that one that is found shows where it came from.
type canaries map[string]string

// of is the canary of a place.
func (c canaries) of(place string) string {
	if c[place] == "" {
		c[place] = fmt.Sprintf("CanaryCanary%02dx%s", len(c), strings.ToUpper(place))
	}
	return c[place]
}

// within is the places whose canary a text holds, as it is or in an encoding
// that a program gives it.
func (c canaries) within(text string) (found []string) {
	for _, place := range slices.Sorted(maps.Keys(c)) {
		canary := c[place]
		for _, form := range []string{canary, url.QueryEscape(canary), base64.StdEncoding.EncodeToString([]byte("ann:" + canary))} {
			if strings.Contains(text, form) {
				found = append(found, place)
				break
			}
		}
	}
	return found
}

// absent fails the test for each canary in a text, with what stands around it.
func (c canaries) absent(t *testing.T, where, text string) {
	t.Helper()
	for _, place := range c.within(text) {
		at := max(0, strings.Index(text, c[place]))
		t.Errorf("%s has the canary of %s: …%q…", where, place, text[max(0, at-150):min(len(text), at+len(c[place])+60)])
	}
}

// written are the lines that the two containers print: secrets in the shapes in
// which programs print them.
func (c canaries) written() (first, second []string) {
	key := func(place string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(c.of(place), 2)))
	}
	c["a line of a private key, as it is printed"] = key("KEYBODY")
	c["AWSID"] = "AKIACANARYCANARY0001"
	first = []string{
		"ERROR login refused: password=" + c.of("PASSWORD"),
		"ERROR upstream said 401 to Authorization: Bearer " + c.of("BEARERLINE"),
		"ERROR upstream said 401 to Authorization: Token " + c.of("TOKENLINE"),
		"ERROR dial postgres://app:" + c.of("URLLINE") + "@db:5432/shop: refused",
		"ERROR dial postgres://app:sl/ash#" + c.of("URLSLASH") + "@db:5432/shop: refused",
		"ERROR dial app:" + c.of("DSN") + "@tcp(db:3306)/shop: refused",
		"ERROR the bucket refuses " + c["AWSID"] + " with aws_secret_access_key = " + c.of("AWSKEY"),
		`{"level":"error","msg":"refused: {\"user\":\"app\",\"password\":\"` + c.of("ESCAPED") + `\"}"}`,
		"ERROR \x1b[36mpassword\x1b[0m=\x1b[33m" + c.of("COLOURED") + "\x1b[0m is refused",
		"ERROR refused with " + c.of("ENVPASSWORD") + " and " + c.of("ENVURL"),
		"ERROR GET /?key=" + c.of("QUERY") + " 500 for ann, " + c.of("USERINFO") + ", " + c.of("HEADER"),
	}
	second = []string{
		"ERROR the key is refused:", "-----BEGIN RSA PRIVATE KEY-----", key("KEYBODY"), "-----END RSA PRIVATE KEY-----",
		"ERROR mail refused: SMTP_PASS=" + c.of("PASS"),
		"ERROR Cookie: theme=dark; session=" + c.of("COOKIE"),
		`ERROR options {"password"=>"` + c.of("RUBY") + `"}`,
		"ERROR sent " + c.of("BEARER") + " and got 401",
	}
	return first, second
}

// everywhere collects what a daemon shows to any user, by where it is.
type everywhere struct {
	t      *testing.T
	d      *daemon
	frames *lockedBuffer
	texts  map[string]string
}

// watching keeps all WebSocket frames from now on.
func watching(t *testing.T, d *daemon) *everywhere {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+d.page+"/ws", map[string][]string{"Origin": {"http://" + d.page}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	e := &everywhere{t, d, &lockedBuffer{}, map[string]string{}}
	go func() {
		for {
			_, frame, err := conn.ReadMessage()
			if err != nil {
				return // the test is over
			}
			_, _ = e.frames.Write(append(frame, '\n'))
		}
	}()
	return e
}

var readRoute = regexp.MustCompile(`"(/api/v1/[^"]*)":\s+read\(|"(/(?:metrics|healthz|readyz))"`)

// answers gets every address that answers a GET, as routes.go has them.
func (e *everywhere) answers(services, commands []string) {
	e.t.Helper()
	source, err := os.ReadFile("../dashboard/routes.go")
	if err != nil {
		e.t.Fatal(err)
	}
	routes := readRoute.FindAllStringSubmatch(string(source), -1)
	if len(routes) < 12 {
		e.t.Fatalf("routes.go has %d addresses that are read: %q", len(routes), routes)
	}
	var ids []string
	for _, name := range services {
		for _, in := range e.d.incidents(name) {
			ids = append(ids, in.ID, in.ID+".md")
		}
	}
	get := func(path string) { e.texts["GET "+path] = e.d.raw(path) }
	for _, route := range routes {
		path, values := route[1]+route[2], []string{""}
		switch {
		case strings.Contains(path, "{name}"):
			values = services
		case strings.Contains(path, "/incidents/{id}"):
			values = ids
		case strings.Contains(path, "/commands/{id}"):
			values = commands
		}
		for _, value := range values {
			get(regexp.MustCompile(`\{\w+\}`).ReplaceAllLiteralString(path, value))
		}
	}
	for _, name := range services {
		get("/api/v1/services/" + name + "/logs?tail=1000")
	}
	get("/")
}

// topics reads all records of all topics: keys, values and headers.
func (e *everywhere) topics() {
	e.t.Helper()
	client := kafkaClient(e.t, e.d.broker, kgo.ConsumeRegex(), kgo.ConsumeTopics(".*"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(200*time.Millisecond))
	defer client.Close()
	var texts = map[string]*bytes.Buffer{}
	end := time.Now()
	for quiet := 0; quiet < 3; quiet++ {
		ctx, cancel := context.WithTimeout(e.t.Context(), time.Second)
		fetched := client.PollFetches(ctx)
		cancel()
		fetched.EachRecord(func(r *kgo.Record) {
			if r.Timestamp.Before(end) {
				quiet = -1
			}
			text := texts[r.Topic]
			if text == nil {
				text = &bytes.Buffer{}
				texts[r.Topic] = text
			}
			fmt.Fprintf(text, "%s %s", r.Key, r.Value)
			for _, h := range r.Headers {
				fmt.Fprintf(text, " %s=%s", h.Key, h.Value)
			}
			text.WriteByte('\n')
		})
	}
	for _, must := range []string{event.TopicHealth, event.TopicServices, event.TopicIncidents, event.TopicCommands, event.TopicDocker, event.TopicThinking} {
		if texts[must] == nil {
			e.t.Errorf("no record of %s was read", must)
		}
	}
	for name, text := range texts {
		e.texts["topic "+name] = text.String()
	}
}

// files reads all files below the daemon's directory but its configuration.
// Those that keep specifications are checked and returned apart.
func (e *everywhere) files() (specifications string) {
	e.t.Helper()
	kept := filepath.Join(e.d.dir, "data", "specifications")
	err := filepath.WalkDir(e.d.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == e.d.config || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(path, kept+"/") {
			e.texts["file "+path] = string(text)
			return nil
		}
		if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
			e.t.Errorf("%s has the mode %v, %v", path, info.Mode(), err)
		}
		specifications += string(text)
		return nil
	})
	if err != nil {
		e.t.Fatal(err)
	}
	e.d.onlyOwnerReads()
	return specifications
}

// says runs a command beside the daemon and keeps what it prints.
func (e *everywhere) says(args ...string) {
	e.t.Helper()
	cmd := exec.Command(binary, append(args, "--config", e.d.config)...)
	cmd.Dir = e.t.TempDir()
	out, _ := cmd.CombinedOutput() // it may find something wrong
	if len(out) == 0 && args[0] != "record" {
		e.t.Errorf("%v printed nothing", args)
	}
	e.texts[strings.Join(args, " ")] = string(out)
}

// recorded is the bundle that logstream record writes, unpacked.
func (e *everywhere) recorded() {
	e.t.Helper()
	file := filepath.Join(e.t.TempDir(), "bundle.gz")
	e.says("record", "--out", file)
	packed, err := os.Open(file)
	if err != nil {
		e.t.Fatalf("%v: %s", err, e.texts["record --out "+file])
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		e.t.Fatal(err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		e.t.Fatal(err)
	}
	e.texts["the recorded bundle"] = string(text)
	e.says("replay", file)
}

// TestASecretIsFoundNowhere puts a secret of its own in every place that has one:
// the variables of containers, the address, headers and body of checks, what
// authorizes others, the arguments of an operator's command, the output of a
// HEALTHCHECK, and log lines in the shapes in which programs print secrets. The
// services are repaired, by approval, by an operator's command, and from the
// specification that is kept; then each secret is searched wherever LogStream
// writes anything.
func TestASecretIsFoundNowhere(t *testing.T) {
	t.Parallel()
	const web, job = "canary-web", "canary-job"
	c := canaries{}
	image := images.Image{Name: "logstream-webapp-canary", Health: []string{"/nope --password=" + c.of("HEALTHCHECK")}}
	images.Load(t, docker, image)
	first, second := c.written()
	webURL := container(t, docker, web, "-e", "API_PASSWORD="+c.of("ENVPASSWORD"), "-e", "DATABASE_URL=postgres://app:"+c.of("ENVURL")+"@db:5432/shop")
	jobURL := container(t, docker, job, "-e", "SESSION_TOKEN="+c.of("ENVTOKEN"), image.Name)
	scripted := llmtest.Start(t, model, llmtest.Think([]string{"It ", "answers ", "with errors."}, 10*time.Millisecond, llmtest.Choose("restart", "The database said no.")))
	scripted.Thinks(true)

	address := strings.Replace(webURL, "http://", "http://ann:"+c.of("USERINFO")+"@", 1) + "/?key=" + c.of("QUERY") + "#" + c.of("FRAGMENT")
	services := yaml(web, address, ", heal: {mode: approve}, request: {method: GET, headers: {X-Shop: "+c.of("HEADER")+"}, body: "+c.of("BODY")+"}") +
		yaml(job, jobURL, fmt.Sprintf(", request: {bearer: %s}, heal: {commands: {reload: [sh, -c, 'echo with $1; echo password=$1', x, --token=%s, --token, %s]}}", c.of("BEARER"), c.of("ARGUMENT"), c.of("WORD")))
	d := configured(t, docker.Host(), withModel(scripted, ""), services)
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	messages := newInbox(t)
	d.write(string(text) + "hooks: [{name: alerts, kind: alertmanager, token: " + c.of("HOOK") + "}]\n" +
		fmt.Sprintf("notify: {heartbeat: 'http://127.0.0.1:1/%s', receivers: [{name: well, url: %q, on: [opened, approval, resolved, escalated], authorization: Bearer %s, secret: %s}, "+
			"{name: refused, url: 'http://ann:%s@127.0.0.1:1/%s?key=%s'}, {name: nowhere, url: 'discord://%s@%s'}, {name: bot, url: 'telegram://123456:%s@telegram?chats=1'}]}\n",
			c.of("BEAT"), messages.url, c.of("NOTIFYHEADER"), c.of("NOTIFYKEY"), c.of("NOTIFYLOGIN"), c.of("NOTIFYPATH"), c.of("NOTIFYQUERY"), c.of("NOTIFYTOKEN"), strings.ToLower(c.of("NOTIFYID")), c.of("NOTIFYBOT")))
	c["NOTIFYID, as it is in a host"] = strings.ToLower(c.of("NOTIFYID"))
	d.start()
	d.up(web)
	d.up(job)
	d.until(10*time.Second, "the model can be queried", func() bool { return d.info().LLM.Ready })
	seen := watching(t, d)
	d.remembers(docker, web)

	// One is repaired by approval, and one at once; the model is queried about both.
	logs(t, webURL, first...)
	logs(t, jobURL, second...)
	visit(t, docker, web, "/fail")
	visit(t, docker, job, "/fail")
	waits := d.newest(60*time.Second, web, "waits for approval", heldBy("approval"))
	_, approved := d.post("/api/v1/incidents/"+waits.ID+"/approve", `{"reason":"go on"}`)
	for _, name := range []string{web, job} {
		in := d.newest(90*time.Second, name, "is resolved", resolved)
		if got := actions(in); !slices.Equal(got, []string{"restart"}) || in.DecidedBy != "llm:"+model {
			t.Errorf("%s: actions %v, decided by %q", name, got, in.DecidedBy)
		}
		d.up(name)
	}
	d.until(60*time.Second, "the messages arrive", func() bool { return messages.count("healed in ") == 2 && messages.count("approve restart?") == 1 })
	c.absent(t, "a notification", messages.text())
	ran := d.requested(job, "run")
	if done := outputOf(ran); !strings.Contains(done, "with --token") {
		t.Errorf("the command printed %q", done)
	}
	// A foreign source, and one that has the container's lines with it.
	_, _ = d.post("/api/v1/health-logs", fmt.Sprintf(`{"service":%q,"status":"DOWN","instance":"other","error":"dial postgres://app:%s@db: refused"}`, job, c.of("REPORTED")))
	d.until(30*time.Second, "the foreign source is shown", func() bool { return strings.Contains(d.raw("/api/v1/services/"+job), "api:other") })

	// What was removed comes back, with its variables.
	docker.Docker(t, "rm", "-f", web)
	again := d.newest(60*time.Second, web, "is about the removed container", func(in apiIncident) bool { return in.ID != waits.ID && in.State != "resolved" })
	d.until(60*time.Second, "it is made again", func() bool {
		_, body := d.post("/api/v1/services/"+web+"/heal", `{"action":"recreate"}`)
		return strings.Contains(d.answered(body), `"ok":true`)
	})
	d.newest(120*time.Second, web, "is resolved by recreate", func(in apiIncident) bool {
		return resolved(in) && in.ID == again.ID || resolved(in) && in.Action == "recreate"
	})
	if env := of(t, docker, web, "json .Config.Env"); !strings.Contains(env, c["ENVPASSWORD"]) {
		t.Errorf("the new container's variables are %s", env)
	}

	// Everything that any user can read.
	_, id, _ := strings.Cut(approved, `"command":"`)
	id, _, _ = strings.Cut(id, `"`)
	seen.answers([]string{web, job}, []string{id})
	if got := seen.texts["GET /api/v1/services/"+web+"/logs?tail=1000"]; !strings.Contains(got, "listening") {
		t.Errorf("the log of %s is %s", web, got)
	}
	seen.topics()
	seen.says("incidents", waits.ID)
	seen.says("incidents", ran.ID)
	seen.says("incidents")
	seen.says("check")
	seen.says("doctor")
	seen.says("probe", web)
	seen.recorded()
	seen.texts["frames"] = seen.frames.String()
	queries := scripted.Queries()
	prompts, err := json.Marshal(queries)
	if err != nil || len(queries) < 2 {
		t.Fatalf("%d prompts, %v", len(queries), err)
	}
	seen.texts["prompts"] = string(prompts)
	for where, must := range map[string]string{"prompts": "password=***", "frames": "password=***", "the recorded bundle": "password=***"} {
		if !strings.Contains(seen.texts[where], must) {
			t.Errorf("%s have no log line with %s: nothing was searched there", where, must)
		}
	}
	d.stop()
	kept := seen.files()
	if found := c.within(kept); !slices.Contains(found, "ENVPASSWORD") || !slices.Contains(found, "ENVURL") {
		t.Errorf("the specification has the canaries of %q: it cannot recreate the container", found)
	}
	seen.texts["standard output and error"] = d.out.String()
	for _, where := range slices.Sorted(maps.Keys(seen.texts)) {
		c.absent(t, where, seen.texts[where])
	}
	t.Logf("%d canaries were searched in %d places", len(c), len(seen.texts))
}

// logs has a service print lines.
func logs(t *testing.T, address string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		printed(t, address, line)
	}
}

// outputOf is what an operator's command printed in an incident.
func outputOf(in apiIncident) (all string) {
	for _, e := range in.Events {
		if data, is := e.Data.(event.ActionFinished); is {
			all += data.Output
		}
	}
	return all
}

// printed has a service print one text to its log.
func printed(t *testing.T, address, text string) {
	t.Helper()
	response, err := http.Post(address+"/log", "text/plain", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("POST /log: %s", response.Status)
	}
}
