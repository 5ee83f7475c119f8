package runbook

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"logstream/internal/docs"
	"logstream/internal/service"
)

const causesHead = `# Causes

Made of the list in ` + "`healer/runbook`" + ` by its test; do not edit it.

A cause is what the facts about a failed service mean. LogStream goes through this list from top to bottom, and **the first that matches is the cause**. Its id is the incident's ` + "`cause_id`" + `, and stays. The actions that are legal stand best first: the runbook takes the first, and a model may choose another of them, and nothing else. Policy may take actions away (` + "`heal.never`, approval, what failed before" + `); nothing adds one. ` + "`rollback`" + ` is legal only where the image or the configuration changed. [actions.md](actions.md) says what each action does, and [gates.md](gates.md) what can hold it.

A sentence in braces such as ` + "`{check}`" + ` stands for what the incident shows: ` + "`{check}`" + ` is what LogStream's own check reported, ` + "`{log}` and `{said}`" + ` are a line of the container's log. A cause that **rests on a log line** only takes actions away: what a container writes never makes an action legal. **Confidence** is a fixed number for each cause. From 90% on the facts prove the cause: a model cannot choose another action then, and with ` + "`healer.reflex: true`" + ` LogStream does not query a model before a non-disruptive repair. The dashboard shows no number for the runbook, only whether the cause is proven.
`

// TestTheDocumentOfCauses: docs/causes.md has each cause as the code has it.
func TestTheDocumentOfCauses(t *testing.T) {
	proofs := proofs(t)
	var out strings.Builder
	out.WriteString(causesHead)
	for _, c := range causes {
		proof := proofs[c.id]
		if proof == "" {
			t.Errorf("the cause %s has no comment after its brace that says which facts prove it", c.id)
		}
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n", c.id, c.present)
		fmt.Fprintf(&out, "- Proven by: %s.\n- Confidence: %.0f%%\n", docs.Sentence(proof), 100*c.confidence)
		for _, sign := range c.shown {
			fmt.Fprintf(&out, "- May rest on a log line: %s\n", wordsOf(sign))
		}
		fmt.Fprintf(&out, "- Why: %s\n", c.why)
		if c.wait != nil {
			if until := c.wait(Facts{Needed: service.Default().FailureThreshold}); until != "" {
				fmt.Fprintf(&out, "- Nothing is decided while: %s\n", until)
			}
		}
		fmt.Fprintf(&out, "- Legal: %s\n", options(c.legal))
		if len(c.wrong) > 0 {
			fmt.Fprintf(&out, "- Not offered: %s\n", options(c.wrong))
		}
	}
	docs.Check(t, "causes.md", out.String())
}

func options(all []option) string {
	words := make([]string, len(all))
	for i, o := range all {
		words[i] = fmt.Sprintf("`%s` (%s)", o.action, o.why)
	}
	return strings.Join(words, ", ")
}

// proofs are the comments that stand right after the brace of each cause, by its id.
func proofs(t *testing.T) map[string]string {
	t.Helper()
	set, files := docs.Sources(t, ".")
	found := map[string]string{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, is := n.(*ast.CompositeLit)
			if !is {
				return true
			}
			if id := idOf(literal); id != "" {
				found[id] = commentOn(set, file, literal.Lbrace)
			}
			return true
		})
	}
	return found
}

// idOf is the value of the field id in a literal, or empty.
func idOf(literal *ast.CompositeLit) string {
	for _, element := range literal.Elts {
		pair, is := element.(*ast.KeyValueExpr)
		if !is {
			continue
		}
		if key, is := pair.Key.(*ast.Ident); is && key.Name == "id" {
			if value, is := pair.Value.(*ast.BasicLit); is {
				id, _ := strconv.Unquote(value.Value)
				return id
			}
		}
	}
	return ""
}

// commentOn is the comment that follows a place on its line, or empty.
func commentOn(set *token.FileSet, file *ast.File, at token.Pos) string {
	i := slices.IndexFunc(file.Comments, func(c *ast.CommentGroup) bool {
		return c.Pos() > at && set.Position(c.Pos()).Line == set.Position(at).Line
	})
	if i < 0 {
		return ""
	}
	return file.Comments[i].Text()
}
