package config

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"logstream/bus"
	"logstream/dashboard"
	"logstream/healer"
	"logstream/internal/docker"
	"logstream/internal/docs"
	"logstream/internal/service"
	"logstream/internal/size"
	"logstream/monitor"
	"logstream/notify"
)

const configurationHead = `# config.yaml

Made of the types that the file is read into, and of the comments in [config.yaml](../config.yaml), by a test; do not edit it.

Every key is optional but ` + "`services[].name`" + ` and one of ` + "`url` and `container`" + `. The column "example" is the shipped file's value. ` + "`logstream check`" + ` reports unknown keys and values that are out of range, with line, column and what was likely meant. A saved change takes effect within a second, without a restart; an edit with errors changes nothing.

- **duration**: a number and a unit: ` + "`500ms`, `2s`, `15m`, `1h30m`" + `. **size**: ` + "`512KiB`, `256MiB`, `2GiB`" + `.
- ` + "`${VAR}`, `${VAR:-default}` and `${VAR:?message}`" + ` take values from the environment; ` + "`$$`" + ` is a dollar sign.
- ` + "`defaults`" + ` takes each key of a service but ` + "`name`, `url`, `container` and `depends_on`" + `, and holds for every service that does not set it.
- YAML's anchors and ` + "`<<`" + ` work.
`

// TestTheDocumentOfTheConfiguration: docs/configuration.md has each key, with the
// type and default of the code and the words of the shipped file.
func TestTheDocumentOfTheConfiguration(t *testing.T) {
	content, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		t.Fatal(err)
	}
	d := &reference{T: t, lines: strings.Split(string(content), "\n"), types: typesOf(t)}
	first, defaults := childOf(root.Content[0], "services").Content[0], childOf(root.Content[0], "defaults")
	first.Content = append(first.Content, defaults.Content...) // what the first service inherits
	d.out.WriteString(configurationHead)
	d.section(root.Content[0], reflect.ValueOf(file{Host: "local", Bus: bus.Default(), Docker: docker.Default(), Monitor: monitor.Default(),
		Healer: healer.Default(), Dashboard: dashboard.Default(), Notify: notify.Default(), Defaults: service.Default()}), "", "")
	docs.Check(t, "configuration.md", d.out.String())
}

type reference struct {
	*testing.T
	out   strings.Builder
	lines []string
	types map[string]declared
}

// declared is what the source says of a type: the comments of its fields, or the
// values that it may have.
type declared struct {
	fields  map[string]string
	choices []string
}

// section writes the keys of a struct. node is the shipped file's, nil where it
// has none. Each section at the top has a table of its own.
func (d *reference) section(node *yaml.Node, of reflect.Value, key, shown string) {
	for _, f := range fieldsOf(of.Type(), key) {
		field, value := of.Type().Field(f.index), of.Field(f.index)
		full, name, child := within(key, f.name), within(shown, f.name), childOfMaybe(node, f.name)
		if key == "" {
			fmt.Fprintf(&d.out, "\n## %s\n\n| key | type | default | example | meaning |\n|---|---|---|---|---|\n", f.name)
		}
		meaning := d.meaning(node, f.name)
		if meaning == "" {
			meaning = d.types[typeName(of.Type())].fields[field.Name]
		}
		if meaning == "" && value.Kind() != reflect.Struct && full != "services" && !slices.Contains(selfExplaining, full) {
			d.Errorf("%s has no words: a comment in config.yaml, or at its field", full)
		}
		d.agrees(full, meaning, value)
		fmt.Fprintf(&d.out, "| `%s` | %s | %s | %s | %s |\n", name, d.typeOf(field.Type), defaultOf(value), d.example(child), docs.Cell(docs.Sentence(meaning)))
		switch {
		case full == "defaults":
		case full == "services":
			d.section(child.Content[0], reflect.ValueOf(service.Default()), full, name+"[]")
		case value.Kind() == reflect.Struct:
			d.section(child, value, full, name)
		case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct && custom(value.Type()) == "" && full != "services.maintenance":
			d.section(nil, reflect.New(value.Type().Elem()).Elem(), full, name+"[]")
		}
	}
}

// selfExplaining are keys whose value says what they are.
var selfExplaining = []string{"healer.llm.provider"}

// meaning is what the shipped file says of a key that has a line of its own.
func (d *reference) meaning(node *yaml.Node, name string) string {
	at := keyOf(node, name)
	if at == nil || !strings.HasPrefix(strings.TrimLeft(d.lines[at.Line-1], " -"), name+":") {
		return ""
	}
	_, comment, is := strings.Cut(d.lines[at.Line-1], " # ")
	if !is {
		return ""
	}
	for _, line := range d.lines[at.Line:] {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		more, is := strings.CutPrefix(strings.TrimLeft(line, " "), "# ")
		if !is || indent < 20 {
			break
		}
		comment += " " + more
	}
	return strings.TrimSpace(comment)
}

var (
	saidDefault   = regexp.MustCompile(`\bdefault ([\d./][\w%.:/-]*\w%?|\d)`)
	chosenDefault = regexp.MustCompile(`(\w+) \(default\):`)
)

// agrees holds the default that a comment names against the code's.
func (d *reference) agrees(key, meaning string, value reflect.Value) {
	if custom(value.Type()) != "" && value.IsZero() || value.Kind() == reflect.Struct || value.Kind() == reflect.Slice && custom(value.Type()) == "" {
		return
	}
	for _, expression := range []*regexp.Regexp{saidDefault, chosenDefault} {
		if said := expression.FindStringSubmatch(meaning); said != nil && "`"+said[1]+"`" != defaultOf(value) {
			d.Errorf("config.yaml says that the default of %s is %s, and it is %s", key, said[1], defaultOf(value))
		}
	}
}

// example is the shipped file's value, on one line.
func (d *reference) example(node *yaml.Node) string {
	if node == nil || node.Kind == yaml.MappingNode && len(node.Content) > 0 || node.Kind == yaml.SequenceNode && len(node.Content) > 0 || node.Value == "" {
		return ""
	}
	return "`" + docs.Cell(node.Value) + "`"
}

// custom are the types that read themselves, as a person writes them.
func custom(t reflect.Type) string {
	return map[string]string{
		"bus.Size": "size", "size.Size": "size", "healer.Percent": "percentage", "bus.Addresses": "list of host:port, or one text with commas",
		"service.StatusRange": "ranges of status codes", "service.Commands": "section of lists: program and arguments", "hook.Names": "section of names",
	}[typeName(t)]
}

func (d *reference) typeOf(t reflect.Type) string {
	words := custom(t)
	switch choices := d.types[typeName(t)].choices; {
	case words != "":
		return words
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case len(choices) > 0:
		return "`" + strings.Join(choices, "`, `") + "`"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "`true`, `false`"
	case reflect.Int:
		return "whole number"
	case reflect.String:
		return "text"
	case reflect.Struct:
		return "section"
	case reflect.Map:
		return "section of texts"
	case reflect.Slice:
		return "list"
	}
	d.Fatalf("no words for the type %s", t)
	return ""
}

// defaultOf is a default as one would write it in the file.
func defaultOf(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		text := value.String()
		for _, zero := range []string{"0s", "0m"} { // 15m0s is 15m
			if len(text) > len(zero) && strings.HasSuffix(text, zero) && strings.ContainsAny(text[len(text)-len(zero)-1:len(text)-len(zero)], "hm") {
				text = strings.TrimSuffix(text, zero)
			}
		}
		return "`" + text + "`"
	case size.Size:
		return "`" + value.String() + "`"
	}
	if v.Kind() == reflect.Struct {
		return ""
	}
	if v.IsZero() && v.Kind() != reflect.Int && v.Kind() != reflect.Bool {
		return "none"
	}
	text, err := yaml.Marshal(v.Interface())
	if err != nil {
		return err.Error()
	}
	return "`" + strings.Trim(strings.TrimSpace(string(text)), `"`) + "`"
}

func typeName(t reflect.Type) string { return t.String() }

// keyOf is the node of a key of a section, or nil.
func keyOf(node *yaml.Node, name string) *yaml.Node {
	if node == nil {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i]
		}
	}
	return nil
}

func childOfMaybe(node *yaml.Node, name string) *yaml.Node {
	if node == nil {
		return nil
	}
	return childOf(node, name)
}

// typesOf are what the sources of the parts say of the types of their
// configurations, by the type's name, such as healer.Budget.
func typesOf(t *testing.T) map[string]declared {
	t.Helper()
	found := map[string]declared{}
	for _, dir := range []string{"../../bus", "../docker", "../../monitor", "../../healer", "../../healer/llm", "../../dashboard", "../../dashboard/hook", "../../dashboard/access", "../../notify", "../service"} {
		_, files := docs.Sources(t, dir)
		for _, file := range files {
			for _, decl := range file.Decls {
				if of, is := decl.(*ast.GenDecl); is {
					declarations(file.Name.Name+".", of, found)
				}
			}
		}
	}
	return found
}

func declarations(pkg string, of *ast.GenDecl, into map[string]declared) {
	for _, spec := range of.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			fields, is := spec.Type.(*ast.StructType)
			if !is {
				continue
			}
			comments := map[string]string{}
			for _, f := range fields.Fields.List {
				for _, name := range f.Names {
					comments[name.Name] = strings.TrimSpace(strings.TrimPrefix(f.Doc.Text(), name.Name+" ") + f.Comment.Text())
				}
			}
			into[pkg+spec.Name.Name] = declared{fields: comments}
		case *ast.ValueSpec:
			kind, is := spec.Type.(*ast.Ident)
			if !is || of.Tok != token.CONST || len(spec.Values) != 1 {
				continue
			}
			if literal, is := spec.Values[0].(*ast.BasicLit); is && literal.Kind == token.STRING {
				value, _ := strconv.Unquote(literal.Value)
				if value == "" { // for the code alone: a file says it by leaving the key out
					continue
				}
				d := into[pkg+kind.Name]
				d.choices = append(d.choices, value)
				into[pkg+kind.Name] = d
			}
		}
	}
}
