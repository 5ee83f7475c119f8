//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestARepairWaitsForApproval has real containers in mode approve: one request
// outlives a kill of the daemon and is approved in the browser, one is denied
// there. A repair that has an inverse is undone there.
func TestARepairWaitsForApproval(t *testing.T) {
	t.Parallel()
	const inApproveMode = ", heal: {mode: approve}"
	approved, refused := container(t, docker, "approved"), container(t, docker, "refused")
	raised := container(t, docker, "raised", "-m", "64m")
	d := configured(t, docker.Host(), "", yaml("approved", approved, inApproveMode)+yaml("refused", refused, inApproveMode)+yaml("raised", raised, ", heal: {max_memory: 128MiB}")).start()
	d.up("approved")
	d.up("refused")
	since := time.Now()
	docker.Docker(t, "kill", "approved")
	in := d.newest(30*time.Second, "approved", "waits for approval", heldBy("approval"))
	for _, part := range []string{`"approval":{"request":`, `"command":"docker start approved"`, `"phase":"approval"`} {
		if got := d.raw("/api/v1/incidents/" + in.ID); !strings.Contains(got, part) {
			t.Errorf("%s is missing in %s", part, got)
		}
	}
	d.kill()
	d.start()
	ctx := browser(t)
	page := "http://" + d.page
	does(t, ctx, chromedp.Navigate(page+"/"))
	sees(t, ctx, "the request on the overview", `document.querySelector('.approval.brief [data-command="approve"]') && document.documentElement.dataset.conn === "live"`)
	sees(t, ctx, "the agent that waits", `document.querySelector('[data-agent-state]')?.dataset.agentState === "WAITING_APPROVAL"`)
	fits(t, ctx, "approval-overview")
	does(t, ctx, chromedp.Navigate(page+"/incidents/"+in.ID))
	sees(t, ctx, "the request on its page", `document.querySelector('.approval [data-command="approve"]:not([disabled])') && document.querySelector('.approval-side') && document.documentElement.dataset.conn === "live"`)
	fits(t, ctx, "approval")
	if n := engineActions(t, docker, "approved", since, "start"); n != 0 {
		t.Errorf("the engine reports %d starts before the approval", n)
	}
	// By the keyboard alone: the reason, and the button.
	does(t, ctx, chromedp.SendKeys(`.approval-reason input`, "go on"), chromedp.Focus(`.approval [data-command="approve"]`), chromedp.KeyEvent("\r"))
	healed := d.newest(60*time.Second, "approved", "is resolved", resolved)
	if got := actions(healed); !slices.Equal(got, []string{"start"}) || how(healed) != "healed" || healed.ID != in.ID {
		t.Errorf("actions %v, how %q, incident %s instead of %s", got, how(healed), healed.ID, in.ID)
	}
	if n := engineActions(t, docker, "approved", since, "start"); n != 1 {
		t.Errorf("the engine reports %d starts, want 1", n)
	}
	if got := d.raw("/api/v1/incidents/" + in.ID); strings.Count(got, `"type":"approval_requested"`) != 1 || !strings.Contains(got, `"by":"operator:dashboard","data":{"reason":"go on"}`) {
		t.Errorf("the incident is %s", got)
	}

	docker.Docker(t, "kill", "refused")
	in = d.newest(30*time.Second, "refused", "waits for approval", heldBy("approval"))
	does(t, ctx, chromedp.Navigate(page+"/incidents"))
	sees(t, ctx, "the request in the list", `document.querySelector('.approval.brief [data-command="deny"]:not([disabled])')`)
	fits(t, ctx, "approval-list")
	does(t, ctx, chromedp.Navigate(page+"/approvals"))
	sees(t, ctx, "the request on the page of approvals", `document.querySelector('.approval [data-command="deny"]:not([disabled])') && document.querySelector('.approval-side') && document.documentElement.dataset.conn === "live"`)
	sees(t, ctx, "that it waits, in the title and the icon", `document.title.startsWith("(1 waits for you) ") && document.querySelector("link[rel=icon]").getAttribute("href").endsWith("/icons/wait.svg")`)
	heard := listens(t, ctx)
	still(t, ctx)
	inBoth(t, ctx, "approvals-waiting", func(where string) {
		accessible(t, ctx, where, "heading: 1 repair needs approval", "link: Approvals 1 waits for a person", "heading: Start refused?", "button: Approve: start refused", "button: Deny", "textbox: Reason, kept with the incident Reason (optional)")
	})
	does(t, ctx, chromedp.SendKeys(`.approval-reason input`, "not today"))
	press(t, ctx, "button", "Deny")
	sees(t, ctx, "what became of it", `[...document.querySelectorAll('[data-command-row="deny"][data-ok="true"]')].some(e => e.textContent.includes("denied the repair of refused: not today") && e.textContent.includes("Executed"))`)
	sees(t, ctx, "that a person is needed now", `!!document.querySelector("[data-given]") && document.title.startsWith("(1 waits for you) ")`)
	inBoth(t, ctx, "approvals-given-up", func(where string) {
		accessible(t, ctx, where, "heading: 1 incident needs a person", "button: Heal now: refused", "button: Acknowledge", "heading: Last commands")
	})
	heard.none(t, "/approvals")
	last := d.newest(30*time.Second, "refused", "is escalated", func(in apiIncident) bool { return in.State == "escalated" })
	if got := actions(last); len(got) != 0 || last.ID != in.ID {
		t.Errorf("actions %v in incident %s, want none in %s", got, last.ID, in.ID)
	}
	does(t, ctx, chromedp.Navigate(page+"/incidents/"+in.ID), chromedp.Click(`[data-control="acknowledge"]`))
	confirms(t, ctx, "Acknowledge the incident of refused?", "is acknowledged")
	sees(t, ctx, "who acknowledged it", `document.querySelector('.title-say')?.textContent.includes("Acknowledged by an operator on the dashboard")`)
	sees(t, ctx, "that nothing waits any more", `!document.title.startsWith("(1 waits") && !document.querySelector(".count.warn")`)

	d.up("raised")
	d.remembers(docker, "raised")
	more := d.requested("raised", "raise_memory")
	opens(t, ctx, d, "/incidents/"+more.ID)
	press(t, ctx, "button", "Undo attempt 1")
	sees(t, ctx, "what it would do", `document.querySelector("dialog[open]")?.textContent.includes("It is refused if the container has changed since.")`)
	inBoth(t, ctx, "dialog-undo", func(where string) {
		accessible(t, ctx, where, "dialog: Undo attempt 1 on raised?", "button: Undo attempt 1", "button: Cancel")
	})
	confirms(t, ctx, "Undo attempt 1 on raised?", "The undo of attempt 1 has begun.")
	d.until(time.Minute, "its limit is what it was", func() bool { return of(t, docker, "raised", ".HostConfig.Memory") == "67108864" })
}
