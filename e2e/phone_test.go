//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"logstream/internal/event"
	"logstream/internal/link"
)

// lan serves what listens on this machine at an address beyond loopback, as a phone
// reaches it: over plain HTTP browsers send other headers there. forms counts the
// requests that change something and hide where they come from.
func lan(t *testing.T, page string) (address string, forms *atomic.Int64) {
	t.Helper()
	forms = &atomic.Int64{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", page, page
		if r.In.Method == http.MethodPost && r.In.Header.Get("Sec-Fetch-Site") == "" && r.In.Header.Get("Origin") == "null" {
			forms.Add(1)
		}
	}}
	server := httptest.NewUnstartedServer(proxy)
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, is := a.(*net.IPNet); is && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			listener, err := net.Listen("tcp", net.JoinHostPort(ip.IP.String(), "0"))
			if err != nil {
				t.Fatal(err)
			}
			_ = server.Listener.Close()
			server.Listener = listener
			break
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, forms
}

// TestARepairIsApprovedFromThePhone opens a signed link at the size of a phone,
// without being logged in, confirms it, and uses it once more.
func TestARepairIsApprovedFromThePhone(t *testing.T) {
	t.Parallel()
	address := container(t, docker, "phoned")
	d := configured(t, docker.Host(), "", yaml("phoned", address, ", group: shop, heal: {mode: approve}"))
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(strings.Replace(string(text), "dashboard: {", "dashboard: {status_page: {enabled: true, groups: [shop], title: Shop status, badges: true}, ", 1))
	d.start()
	d.up("phoned")
	since := time.Now()
	docker.Docker(t, "kill", "phoned")
	in := d.newest(30*time.Second, "phoned", "waits for approval", heldBy("approval"))
	requested := slices.IndexFunc(in.Events, func(e event.Incident) bool { return e.Type == event.TypeApprovalRequested })
	if requested < 0 {
		t.Fatalf("no approval is requested in %+v", in)
	}
	secret, err := os.ReadFile(filepath.Join(d.dir, "data", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	token := link.New(bytes.TrimSuffix(secret, []byte("\n"))).Sign(link.Link{ID: link.NewID(), Command: link.Approve, Service: "phoned", Incident: in.ID, Host: "local",
		Approval: strconv.Itoa(in.Events[requested].Seq), Expires: time.Now().Add(10 * time.Minute)})

	phone, forms := lan(t, d.page)
	for range 3 { // as the preview of a chat program
		if response, err := http.Get(phone + "/act/" + token); err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(response, err)
		}
	}
	ctx := browser(t)
	heard := listens(t, ctx)
	looks := func(name string, wanted ...string) {
		t.Helper()
		inBoth(t, ctx, name, func(where string) { accessible(t, ctx, where, append(wanted, "main: ")...) })
	}
	does(t, ctx, chromedp.EmulateViewport(360, 740), chromedp.Navigate(phone+"/act/"+token))
	sees(t, ctx, "what is asked", `document.querySelector("h1")?.textContent === "Approve: start phoned?" && document.querySelector("main").textContent.includes("docker start phoned")`)
	sees(t, ctx, "its style", `getComputedStyle(document.querySelector(".sheet")).maxWidth !== "none" && matchMedia("(max-width: 400px)").matches`)
	looks("phone-link", "heading: Approve: start phoned?", "button: Approve", "link: Open the incident")
	if n := engineActions(t, docker, "phoned", since, "start"); n != 0 {
		t.Errorf("the engine reports %d starts before it is confirmed", n)
	}
	press(t, ctx, "button", "Approve")
	sees(t, ctx, "that it is approved", `document.querySelector("h1")?.textContent === "Approved"`)
	looks("phone-approved", "heading: Approved", "link: Open the incident")
	healed := d.newest(60*time.Second, "phoned", "is resolved", resolved)
	if got := actions(healed); !slices.Equal(got, []string{"start"}) || how(healed) != "healed" || healed.ID != in.ID {
		t.Errorf("actions %v, how %q, incident %s instead of %s", got, how(healed), healed.ID, in.ID)
	}
	if n := engineActions(t, docker, "phoned", since, "start"); n != 1 {
		t.Errorf("the engine reports %d starts, want 1", n)
	}
	if got := d.raw("/api/v1/incidents/" + in.ID); !strings.Contains(got, `"by":"operator:phone-link"`) {
		t.Errorf("the incident is %s", got)
	}
	heard.none(t, "the page behind the link") // what follows is answered with 410 and 403, which Chromium writes to the console
	does(t, ctx, chromedp.Navigate(phone+"/act/"+token))
	sees(t, ctx, "that it was used", `document.querySelector("h1")?.textContent === "Used already" && document.querySelector("main").textContent.includes("LogStream executed it.") && !document.querySelector("form")`)
	looks("phone-used", "heading: Used already", "link: Open the incident")
	does(t, ctx, chromedp.Navigate(phone+"/act/"+token+"x"))
	looks("phone-altered", "heading: Nothing was done")
	if !strings.HasPrefix(phone, "http://127.") && forms.Load() != 1 {
		t.Errorf("%d forms hid where they come from, want 1: what browsers send has changed", forms.Load())
	}

	if status, body := d.post("/api/v1/incidents/"+in.ID+"/note", `{"text":"A new disk is on its way.\nIt arrives at noon."}`); status != http.StatusAccepted {
		t.Fatal(status, body)
	}
	heard = listens(t, ctx)
	does(t, ctx, chromedp.Navigate(phone+"/status"))
	sees(t, ctx, "the service and the note", `document.querySelector("main").textContent.includes("phoned") && document.querySelector(".note")?.textContent.includes("It arrives at noon.")`)
	sees(t, ctx, "times in the reader's zone, and the exact one on hover", `[...document.querySelectorAll("time")].length === 4 && [...document.querySelectorAll("time")].every(e => /^[0-9:]+$/.test(e.textContent) && /[0-9]T[0-9]/.test(e.title))`)
	looks("status-page", "heading: All services are up.", "heading: shop", "heading: phoned")
	docker.Docker(t, "kill", "phoned")
	d.newest(30*time.Second, "phoned", "waits for approval", heldBy("approval"))
	d.until(30*time.Second, "the status page says so", func() bool { return strings.Contains(d.raw("/status"), "the repair waits for an operator") })
	eval[bool](t, ctx, `dispatchEvent(new Event("online"))`) // as each minute
	sees(t, ctx, "that it is down, without a reload", `document.querySelector("h1").textContent === "1 service is down." && document.title.startsWith("1 service is down.") && document.querySelector("#changed").textContent !== ""`)
	looks("status-page-down", "heading: 1 service is down.", "heading: phoned")
	heard.none(t, "/status")
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/incidents/"+in.ID))
	sees(t, ctx, "the note on the incident's page", `[...document.querySelectorAll(".tl li")].some(e => e.textContent.includes("A new disk is on its way."))`)
	fits(t, ctx, "incident-note")
	does(t, ctx, chromedp.Navigate(fmt.Sprintf("%s/badge/phoned.svg", phone)))
	picture(t, ctx, "badge")
	sees(t, ctx, "the badge", `document.documentElement.tagName === "svg" && document.documentElement.textContent.includes("phoned: down")`)
	does(t, ctx, chromedp.Navigate("http://"+d.page+"/"))
	sees(t, ctx, "a manifest that the browser reads", `document.querySelector('link[rel="manifest"]') && fetch(document.querySelector('link[rel="manifest"]').href).then(r => r.ok && r.headers.get("content-type").startsWith("application/manifest+json"))`)
}
