package action

import (
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/docs"
	"logstream/internal/event"
	"logstream/internal/service"
)

const actionsHead = `# Actions

Made of the list in ` + "`healer/action`" + ` by its test; do not edit it.

What is not in this list cannot be done: no action removes, prunes, or runs anything in a container, and none takes a command line; ` + "`run`" + ` executes a command that the operator has configured, on LogStream's machine. Which of them is legal follows from the cause ([causes.md](causes.md)); when it runs, from the gates ([gates.md](gates.md)).

**Every action** goes the same way. The container's ID, image, specification, start and state are pinned at the decision. The intent is written to Kafka and read back. Right before the call the container is inspected again: where one of the pins differs, or the check that showed the failure no longer fails, the call is not made, and the incident is decided anew. After the call the result is written. The repair is verified by good scheduled checks in a row (` + "`healer.verify`" + `) that began after the result was written, with the container running throughout; an external change, which is one that LogStream did not make, ends the attempt as interrupted. After a crash LogStream inspects the container and compares it with the pins; it never repeats a call whose effect it cannot see. "By hand" is an example, for a container ` + "`web`" + ` of the Compose project ` + "`shop`" + `.

**Tier 0** loses nothing, and runs at once in mode ` + "`auto`" + `. **Tier 1** replaces the process. **Tier 2** changes what the container is: it asks for approval, unless ` + "`heal.actions`" + ` of the service lists it. ` + "`heal.never`" + ` excludes any.

| action | tier | Docker is asked to | at most | undo |
|---|---|---|---|---|
`

// TestTheDocumentOfActions: docs/actions.md has each action as the code has it.
func TestTheDocumentOfActions(t *testing.T) {
	comments := comments(t)
	var table, out strings.Builder
	for _, a := range All {
		about := comments[a.Name]
		if about == "" {
			t.Errorf("the action %s has no comment that says what it does", a.Name)
		}
		undo, undone := "no", ""
		if a.Undo != nil {
			undo, undone = "yes", fmt.Sprintf("- Undo: `logstream undo <incident>`. %s\n", a.Undo.Cost)
		}
		fmt.Fprintf(&table, "| [`%s`](#%s) | %d | %s | %s | %s |\n", a.Name, a.Name, a.Tier, calls(a), longest(a), undo)
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n- Cost: %s\n", a.Name, about, a.Cost)
		if line := a.CommandLine("docker", documented(a), prepared(a)); line != "" {
			fmt.Fprintf(&out, "- By hand: `%s`\n", line)
		}
		fmt.Fprintf(&out, "- Preflight: %s\n- Not possible where:\n%s", needed(a), refusals(a))
		if a.EffectSeen == nil {
			out.WriteString("- After a crash in the middle of the call: nothing shows whether it took effect, so a person is called.\n")
		}
		out.WriteString(undone)
	}
	docs.Check(t, "actions.md", actionsHead+table.String()+out.String())
}

// documented is a container in which the action can be prepared, as far as there
// is one.
func documented(a Action) Target {
	for _, status := range []container.Status{container.Exited, container.Running, container.Paused} {
		t := target(is(status))
		if _, _, why := a.Prepare(t); why == "" {
			return t
		}
	}
	return target()
}

func prepared(a Action) event.Params {
	p, _, _ := a.Prepare(documented(a))
	return p
}

// calls are the methods of the runtime that the action calls.
func calls(a Action) string {
	var on called
	r := Request{ID: "a", Pins: event.Pins{State: string(documented(a).State.Status)}, Params: prepared(a), Command: Command{Name: "reload"}}
	_, _ = a.Call(context.Background(), &on, r) // what is called counts
	said := map[string]string{"start": "start it", "unpause": "unpause it", "restart": "restart it", "kill_start": "kill it after a second and start it",
		"connect": "connect it to each network", "memory": "change its memory limit", "recreate": "create, start and rename containers", "run": "nothing: the operator's command runs"}
	var words []string
	for _, call := range on {
		method, _, _ := strings.Cut(call, " ")
		words = append(words, said[method])
	}
	return strings.Join(words, ", then ")
}

// longest is how long the call may take.
func longest(a Action) string {
	const stop = 10 * time.Second
	if none := a.Timeout(0); a.Timeout(stop) == none+stop {
		return fmt.Sprintf("stop time-out + %v", none)
	}
	return a.Timeout(stop).String()
}

// needed is what has to be DOWN still.
func needed(a Action) string {
	var any []string
	for _, sign := range []struct {
		words string
		signs Signs
	}{
		{"the container's state", Signs{Level: true}},
		{"LogStream's own check", Signs{Own: true}},
		{"another monitor that is believed", Signs{Foreign: true}},
		{"the comparison with the image before", Signs{Update: true}},
	} {
		if a.Needed(sign.signs) {
			any = append(any, sign.words)
		}
	}
	return "the pins hold, and the failure still shows in " + strings.Join(any, ", or ") + "."
}

// refusals are the reasons why the action cannot be prepared.
func refusals(a Action) string {
	var why []string
	try := func(t Target) {
		if _, _, not := a.Prepare(t); not != "" && !slices.Contains(why, not) {
			why = append(why, not)
		}
	}
	try(target(func(t *Target) { t.Def.Container = "" }))
	try(target(func(t *Target) { t.Missing, t.State = true, container.State{} }))
	for _, status := range []container.Status{container.Created, container.Running, container.Paused, container.Restarting, container.Removing, container.Exited, container.Dead} {
		try(target(is(status)))
	}
	for _, change := range []func(*Target){
		func(t *Target) { t.Good = nil },
		func(t *Target) { t.State.NetworkOf = "vpn" },
		func(t *Target) {
			t.State.Networks = []container.Network{{Name: front.Name, Aliases: front.Aliases}, {Name: back.Name, Aliases: back.Aliases}}
		},
		func(t *Target) { t.State.Memory = 0 },
		func(t *Target) { t.Def.Heal.MaxMemory = 0 },
		func(t *Target) { t.State.Memory = int64(t.Def.Heal.MaxMemory) },
		func(t *Target) { t.Def.Heal.Commands = nil },
		func(t *Target) { t.RolledBack = []string{t.State.ImageID} },
		func(t *Target) { g := good; g.PreviousImageID = ""; t.Good = &g },
		func(t *Target) { t.State.SpecHash = t.Good.SpecHash },
		func(t *Target) { t.SpecKept = false },
		func(t *Target) { t.State.Kept = "web-logstream-kept-1" },
		func(t *Target) { t.State.AutoRemove = true },
	} {
		try(target(change))
	}
	return "  - " + strings.Join(why, "\n  - ") + "\n"
}

// comments are what stands above each action's variable, with the action's name
// instead of the variable's.
func comments(t *testing.T) map[string]string {
	t.Helper()
	_, files := docs.Sources(t, ".")
	found := map[string]string{}
	for _, file := range files {
		for _, d := range file.Decls {
			of, is := d.(*ast.GenDecl)
			if !is || of.Tok != token.VAR || len(of.Specs) != 1 || of.Doc == nil {
				continue
			}
			variable := of.Specs[0].(*ast.ValueSpec).Names[0].Name
			for _, name := range service.Actions {
				if strings.ReplaceAll(name, "_", "") == strings.ToLower(variable) {
					text := strings.TrimPrefix(docs.Sentence(of.Doc.Text()), variable+" ")
					found[name] = strings.ToUpper(text[:1]) + text[1:]
				}
			}
		}
	}
	return found
}
