package gate

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"logstream/internal/docs"
)

const gatesHead = `# Gates

Made of the list in ` + "`healer/gate`" + ` by its test; do not edit it.

A gate holds a repair for one reason. The incident stays open, and the dashboard, ` + "`logstream tail`" + ` and the ` + "`suppressed`" + ` event show the gate's name and its reason; where a time is known, also until when. Gates are asked stage by stage in this order, and the first that holds decides. What an operator asks for with ` + "`logstream heal`" + ` passes most of them.

"…" stands for what the incident shows.

| gate | asked | what it says |
|---|---|---|
`

var stages = map[Stage]string{
	Journal: "before anything else", Change: "after an external change", Witness: "about who reports DOWN", Engine: "before the container is inspected",
	Target: "after the inspection", Finding: "after the diagnosis", Repair: "before the intent is written", Wish: "again right before the call",
}

// TestTheDocumentOfGates: docs/gates.md has each gate as the code has it.
func TestTheDocumentOfGates(t *testing.T) {
	checks, says := listed(t)
	if len(checks) != len(All) {
		t.Fatalf("%d entries of All were read, and there are %d", len(checks), len(All))
	}
	var out strings.Builder
	out.WriteString(gatesHead)
	for i, g := range All {
		if stages[g.Stage] == "" {
			t.Errorf("the stage of %s has no words", g.Name)
		}
		said := says[checks[i]]
		if len(said) == 0 {
			t.Errorf("no sentence of %s was found in %s", g.Name, checks[i])
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", g.Name, stages[g.Stage], docs.Cell(strings.Join(said, "<br>")))
	}
	for _, v := range []Verdict{Flapping(), None("…")} {
		fmt.Fprintf(&out, "| `%s` | while the incident is open | %s |\n", v.Gate, v.Reason)
	}
	docs.Check(t, "gates.md", out.String())
}

// listed are the functions of All in its order, and the sentences of each function.
func listed(t *testing.T) (checks []string, says map[string][]string) {
	t.Helper()
	_, files := docs.Sources(t, ".")
	says = map[string][]string{}
	for _, file := range files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					says[d.Name.Name] = sentences(d)
				}
			case *ast.GenDecl:
				checks = append(checks, entries(d)...)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool { // reasons that stand in a table of their own
			if of, is := n.(*ast.ValueSpec); is && of.Names[0].Name == "rootReasons" {
				says["rootReasons"] = sentences(of)
			}
			return true
		})
	}
	says["healthcheck"] = says["Healthcheck"]
	says["waitsForRoot"] = slices.Concat(says["waitsForRoot"], says["rootReasons"])
	says["restarting"] = says["policyReason"]
	says["policyFirst"] = says["policyReason"]
	says["recurring"] = slices.Concat(says["recurring"], says["notHealed"])
	says["levelPending"] = []string{"(for a moment, without an event: its container's state is not known yet)"}
	says["undecided"] = []string{"what the cause waits for, see [causes.md](causes.md)"}
	return checks, says
}

// entries are the functions in a declaration of All.
func entries(d *ast.GenDecl) []string {
	if d.Tok != token.VAR {
		return nil
	}
	var names []string
	for _, spec := range d.Specs {
		of := spec.(*ast.ValueSpec)
		if of.Names[0].Name != "All" {
			continue
		}
		for _, element := range of.Values[0].(*ast.CompositeLit).Elts {
			parts := element.(*ast.CompositeLit).Elts
			names = append(names, parts[len(parts)-1].(*ast.Ident).Name)
		}
	}
	return names
}

var verb = regexp.MustCompile(`%(\[\d\])?[sdqv]`)

// sentences are the texts in a piece of code that are long enough to be some. One
// that calls a person says so.
func sentences(of ast.Node) []string {
	var all []string
	person := map[*ast.BasicLit]bool{}
	ast.Inspect(of, func(n ast.Node) bool {
		if field, is := n.(*ast.KeyValueExpr); is {
			if key, is := field.Key.(*ast.Ident); is && key.Name == "Escalate" {
				ast.Inspect(field.Value, func(n ast.Node) bool {
					if literal, is := n.(*ast.BasicLit); is {
						person[literal] = true
					}
					return true
				})
			}
		}
		literal, is := n.(*ast.BasicLit)
		if !is || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil || strings.Count(text, " ") < 2 {
			return true
		}
		text = strings.ReplaceAll(verb.ReplaceAllString(text, "…"), "%%", "%")
		if strings.ContainsAny(text[:1], " :;") {
			text = "…" + text
		}
		if strings.HasSuffix(text, " ") {
			text += "…"
		}
		if person[literal] {
			text = "calls a person: " + text
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
		return true
	})
	return all
}
