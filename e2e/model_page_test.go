//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"logstream/healer/llm/llmtest"
)

const (
	inCard = `document.querySelector(".agent")?.textContent ?? ""`
	inPage = `document.querySelector("main")?.textContent ?? ""`
	stands = `[...document.querySelectorAll("[data-view]")].map(e => e.dataset.view + ":" + e.dataset.stands).join(" ")`
	// hostile is markup in what a model says; it must stay words.
	hostile = `<img src=x onerror="window.struck=true"><script>window.struck=true</script>`
)

func shows(text string) string   { return fmt.Sprintf("(%s).includes(%q)", inCard, text) }
func pageHas(text string) string { return fmt.Sprintf("(%s).includes(%q)", inPage, text) }

// fits checks that nothing is wider than the window, at the widths of a desktop and
// a phone, and keeps pictures in both themes.
func fits(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	for _, width := range []int64{360, 1280} {
		wholeAtWidth(t, ctx, name, width)
		for _, theme := range []string{"light", "dark"} {
			if os.Getenv("LOGSTREAM_SHOTS") != "" {
				eval[string](t, ctx, fmt.Sprintf(`document.documentElement.dataset.theme = %q`, theme))
				sees(t, ctx, "no colour that fades", `!document.getAnimations().some((one) => one instanceof CSSTransition)`)
			}
			picture(t, ctx, fmt.Sprintf("%s-%s-%d", name, theme, width))
		}
	}
}

// TestTheModelOnThePage has a scripted model queried about a real container, and
// reads in the browser the prompt, what it thinks and answers, and what
// came of it.
func TestTheModelOnThePage(t *testing.T) {
	words := strings.SplitAfter("The container was killed by a command such as docker kill, so nothing in it is broken. "+hostile+" It ended at once and was not out of memory.\n\nStarting it removes the cause and loses nothing.", " ")
	pace, timeout := 250*time.Millisecond, 30*time.Second // long enough to be seen on a busy machine
	model := llmtest.Start(t, "scripted:1b", llmtest.Think(words, pace, llmtest.Choose("start", "It was killed from outside. "+hostile)))
	model.Thinks(true)
	url := container(t, docker, "thoughtful")
	d := configured(t, docker.Host(), fmt.Sprintf(", llm: {url: %q, model: \"scripted:1b\", timeout: %s}, decide: llm, reflex: false", model.URL, timeout), yaml("thoughtful", url, "")).start()
	d.up("thoughtful")
	ctx := browser(t)
	at := "http://" + d.page
	overview := func() {
		t.Helper()
		does(t, ctx, chromedp.Navigate(at+"/"))
		sees(t, ctx, "the live connection", `document.documentElement.dataset.conn === "live"`)
	}
	// strike ends the container, and gives the incident that it opens once it is resolved.
	strike := func(meanwhile func()) apiIncident {
		t.Helper()
		count := len(d.incidents("thoughtful"))
		docker.Docker(t, "kill", "thoughtful")
		d.until(30*time.Second, "an incident opens", func() bool { return len(d.incidents("thoughtful")) > count })
		meanwhile()
		return d.newest(3*time.Minute, "thoughtful", "is resolved", resolved)
	}
	opens := func(in apiIncident) {
		t.Helper()
		does(t, ctx, chromedp.Navigate(at+"/incidents/"+in.ID))
		sees(t, ctx, "the decision", `!!document.querySelector("[data-view]")`)
	}

	// harmless says that what the model said stands there word for word, and is
	// no markup: no picture, no script of its own, in what is shown.
	harmless := func(where string) {
		t.Helper()
		if !eval[bool](t, ctx, `document.body.textContent.includes("<img src=x onerror")`) {
			t.Errorf("%s: what the model said is not shown word for word", where)
		}
		if eval[bool](t, ctx, `!!document.querySelector('main img, main script, main [onerror]') || window.struck === true`) {
			t.Errorf("%s: what the model said became markup", where)
		}
	}

	overview()
	sees(t, ctx, "that the model is available", shows("scripted:1b is available"))
	agreed := strike(func() {
		sees(t, ctx, "that it is queried", `!!document.querySelector("[data-querying]")`)
		sees(t, ctx, "whom", shows("Querying scripted:1b"))
		sees(t, ctx, "its thinking", shows("nothing in it is broken. <img src=x onerror="))
		sees(t, ctx, "the lane's place", `document.querySelector('.step[aria-current="step"]')?.textContent.includes("Querying scripted:1b")`)
		harmless("its thinking, live")
		fits(t, ctx, "querying-thinking")
		sees(t, ctx, "what came of it", `document.querySelector(".agent [data-came]")?.dataset.came === "stands"`)
		sees(t, ctx, "the words for it", shows("The model agrees with the runbook: start thoughtful."))
		sees(t, ctx, "question and answer", `[...document.querySelectorAll(".agent .transcript summary")].map(e => e.textContent).join() === "Prompt,Raw answer"`)
		eval[bool](t, ctx, `(document.querySelectorAll(".agent .transcript summary").forEach(e => e.click()), true)`)
		sees(t, ctx, "both open", `[...document.querySelectorAll(".agent .transcript pre")].every(e => e.getBoundingClientRect().height > 0)`)
		sees(t, ctx, "the question", `document.querySelector(".agent .transcript pre").textContent.startsWith("Service: thoughtful")`)
		sees(t, ctx, "that they stay open", `document.querySelector(".lane-clock")?.textContent && document.querySelectorAll(".agent .transcript[open]").length === 2`)
		harmless("the agent's card")
		fits(t, ctx, "decided")
	})
	opens(agreed)
	sees(t, ctx, "whose view stood", stands+` === "runbook:false model:true"`)
	for _, want := range []string{"Two views, one decision", "scripted:1b", "The model agrees with the runbook", ", querying scripted:1b", "Prompt", "Reasoning", "Raw answer"} {
		sees(t, ctx, want, pageHas(want))
	}
	eval[bool](t, ctx, `(document.querySelectorAll(".transcript summary").forEach(e => e.click()), true)`)
	harmless("the incident's page")
	fits(t, ctx, "incident-agreed")

	model.Thinks(false)
	model.Script(llmtest.Late(12*time.Second, llmtest.Choose("escalate", "Something is odd.")))
	overview()
	before := model.Shows()
	d.until(time.Minute, "it is known that it does not think any more", func() bool { return model.Shows() > before+1 })
	overruled := strike(func() {
		sees(t, ctx, "that it is queried, without a thought", `document.querySelector("[data-querying]")?.textContent.includes("No output yet")`)
		fits(t, ctx, "querying-no-output")
	})
	opens(overruled)
	sees(t, ctx, "whose view stood", stands+` === "runbook:true model:false"`)
	sees(t, ctx, "why", pageHas("The model would call a person, but a repair is available: start thoughtful. The runbook decided."))
	fits(t, ctx, "incident-overruled")

	for _, tt := range []struct {
		name, came, want string
		reply            llmtest.Reply
	}{
		{"unusable", "unusable", "The model’s answer could not be used. The runbook decided.", llmtest.Say("Sure! " + hostile)},
		{"late", "late", "The model did not answer in time. The runbook decided.", llmtest.Late(time.Minute, llmtest.Choose("start", ""))},
		{"refused", "unavailable", "The model was unavailable. The runbook decided.", llmtest.Refuse(http.StatusInternalServerError, "out of memory")},
	} {
		model.Script(tt.reply)
		overview()
		in := strike(func() {
			if tt.name != "late" {
				return
			}
			sees(t, ctx, "the incident's link", `!!document.querySelector("[data-querying]") && !!document.querySelector(".lane h2 a")`)
			does(t, ctx, chromedp.Click(".lane h2 a"))
			sees(t, ctx, "that it is queried", pageHas("The model is being queried"))
			sees(t, ctx, "it in the timeline", `document.querySelector(".tl .now-step")?.textContent.includes("Querying scripted:1b")`)
			fits(t, ctx, "incident-querying")
		})
		opens(in)
		sees(t, ctx, "whose view stood", stands+` === "runbook:true model:false"`)
		sees(t, ctx, "what came of it", fmt.Sprintf(`document.querySelector(".agree")?.dataset.came === %q`, tt.came))
		sees(t, ctx, "it in words", pageHas(tt.want))
		if tt.name == "unusable" {
			harmless("an answer that is none")
		}
		fits(t, ctx, "incident-"+tt.name)
	}

	model.Remove()
	overview()
	sees(t, ctx, "that it is unavailable", `document.querySelector('[data-problem="llm"]')?.classList.contains("calm")`)
	sees(t, ctx, "the command, to be copied", `document.querySelector('[data-problem="llm"] [data-act="copy"]')?.dataset.text === "ollama pull scripted:1b"`)
	sees(t, ctx, "it on the card", shows("scripted:1b is unavailable"))
	fits(t, ctx, "banner")
	does(t, ctx, chromedp.Navigate(at+"/system"))
	sees(t, ctx, "all but the model", pageHas("All components healthy except the model"))
	fits(t, ctx, "system-unreachable")
	unreachable := strike(func() {})
	opens(unreachable)
	sees(t, ctx, "that it was not queried", pageHas("The model was unavailable. The runbook decided."))
	fits(t, ctx, "incident-unreachable")
}
