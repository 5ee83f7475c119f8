package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// each calls visit with every command, the root first.
func each(t *testing.T, visit func(t *testing.T, path []string, cmd *cobra.Command)) {
	t.Helper()
	root := rootCommand()
	root.InitDefaultHelpCmd()
	t.Run("logstream", func(t *testing.T) { visit(t, nil, root) })
	if len(root.Commands()) < 20 {
		t.Fatalf("only %d commands were found", len(root.Commands()))
	}
	for _, cmd := range root.Commands() {
		if cmd.HasSubCommands() {
			t.Fatalf("%s has commands of its own: visit them as well", cmd.Name())
		}
		t.Run(cmd.Name(), func(t *testing.T) { visit(t, []string{cmd.Name()}, cmd) })
	}
}

// good are arguments that a command takes.
func good(cmd *cobra.Command) []string {
	known := map[string]string{serviceArgument: "web", "FILE": "x", "<incident>": "x"}
	var args []string
	for _, name := range argumentsOf(cmd) {
		first, _, _ := strings.Cut(name, "|")
		if value := known[name]; value != "" {
			first = value
		}
		if !strings.HasPrefix(name, "[") {
			args = append(args, first)
		}
	}
	return args
}

// wrongUses are command lines of a command that cannot be meant, and what each
// must be answered with; the rest follows from the command's own flags and
// arguments.
func wrongUses(t *testing.T, path []string, cmd *cobra.Command) map[string][]string {
	args := good(cmd)
	if len(path) == 0 {
		args = []string{"run"}
	}
	dir := t.TempDir()
	malformed := filepath.Join(dir, "malformed.yaml")
	if err := os.WriteFile(malformed, []byte("services: [{name: web\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	line := func(more ...string) []string { return slices.Concat(path, args, more) }
	uses := map[string][]string{
		"unknown flag --kubernetes":              line("--kubernetes"),
		"unknown flag --confg; did you mean --c": line("--confg", "x"),
		"unknown flag -x":                        line("-x"),
		"unknown flag -config; did you mean --c": line("-config", "x"),
		"--config needs a file":                  line("--config"),
		"--config needs a file ":                 line("--config", ""),
		`"--=x" is not a flag`:                   line("--=x"),
		`"---config" is not a flag`:              line("---config", "x"),
		"--help must be true or false":           line("--help=perhaps"),
		`unexpected argument "one"`:              line(append(slices.Repeat([]string{"x"}, max(0, len(argumentsOf(cmd))-len(args))), "one", "too many")...),
		`unknown flag --\x1b[31m`:                line("--\x1b[31mred"),
	}
	if len(path) == 0 {
		delete(uses, `unexpected argument "one"`)
		uses["no command given"] = []string{}
		uses[`unknown command "silense"; did you mean "silence"?`] = []string{"silense"}
		uses[`unknown command "a\nb"`] = []string{"a\nb"}
		uses["unknown command \""+strings.Repeat("x", 50)] = []string{strings.Repeat("x", 100_000)}
		return uses
	}
	for i, name := range argumentsOf(cmd) {
		if !strings.HasPrefix(name, "[") {
			uses["the argument "+name+" is missing"] = slices.Concat(path, args[:i])
			uses["the argument "+name+" is empty"] = slices.Concat(path, args[:i], []string{" "}, args[i+1:])
		}
		if name == serviceArgument {
			uses["the argument <service> cannot be used: \"logstream\" is a reserved name"] = slices.Concat(path, []string{"logstream"}, args[i+1:])
		}
		if strings.Contains(name, "|") {
			uses[`unknown `] = slices.Concat(path, []string{"kubernetes"}, args[i+1:])
		}
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		bad := map[string][]string{"duration": {"soon", "-5m", "0", "10"}, "int": {"many", "1.5"}, "bool": {"perhaps"}}
		for _, value := range bad[f.Value.Type()] {
			uses["--"+f.Name+" must be "+wanted(f)+", not \""+value] = line("--" + f.Name + "=" + value)
		}
		if f.NoOptDefVal == "" {
			uses["--"+f.Name+" needs a"] = line("--" + f.Name)
		}
		if len(f.Name) > 4 {
			uses["did you mean --"+f.Name+"?"] = line("--" + f.Name[:2] + f.Name[3:])
		}
		if _, required := f.Annotations[cobra.BashCompOneRequiredFlag]; required {
			uses["the flag --"+f.Name+" is missing"] = line()
		}
		if f.Name == "url" {
			uses["--url must be an address such as"] = line("--url", "carrier-pigeon")
			uses["malformed.yaml:"] = line("--config", malformed)
			uses["does not exist"] = line("--config", filepath.Join(dir, "none.yaml"))
			uses["is a directory"] = line("--config", dir)
		}
	})
	if slices.Contains([]string{"run", "check", "probe", "record"}, cmd.Name()) {
		more := map[string]string{"malformed.yaml:": malformed, "does not exist": filepath.Join(dir, "none.yaml"), "is a directory": dir}
		for what, file := range more {
			uses[what] = line("--config", file)
			if cmd.Name() == "record" {
				uses[what] = line("--config", file, "--out", filepath.Join(dir, "out"))
			}
		}
	}
	return uses
}

// TestWrongUseIsOneSentence gives every command at least ten command lines that
// cannot be meant.
func TestWrongUseIsOneSentence(t *testing.T) {
	t.Chdir(t.TempDir()) // nothing to spoil, and no instance that happens to run on this machine
	if err := os.WriteFile(defaultConfig, []byte("dashboard: {listen: \"127.0.0.1:1\"}\nservices: [{name: payment-service, url: \"http://127.0.0.1:1\"}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, path []string, cmd *cobra.Command) {
		uses := wrongUses(t, path, cmd)
		if len(uses) < 10 {
			t.Errorf("only %d wrong uses are known", len(uses))
		}
		for want, args := range uses {
			code, out, failed := logstream(args...)
			want = strings.TrimSpace(want) // one key of a map stands for one use
			switch {
			case code != exitStartupFailure || out != "" || !strings.Contains(failed, want):
				t.Errorf("%.80q: exit %d, %q, %q; want %q", args, code, out, failed, want)
			case strings.Count(failed, "\n") != 1 || !strings.HasSuffix(failed, "\n") || len(failed) > 600:
				t.Errorf("%.80q: more than one sentence: %q", args, failed)
			case strings.Contains(failed, "Usage:") || strings.Contains(failed, "goroutine") || strings.ContainsRune(failed, '\x1b'):
				t.Errorf("%.80q: printed %q", args, failed)
			}
		}
	})
}

// TestHelpHasOneStyle reads what each command says of itself.
func TestHelpHasOneStyle(t *testing.T) {
	noData := []string{"logstream", "run", "ready", "mcp", "password", "completion", "help"}
	each(t, func(t *testing.T, path []string, cmd *cobra.Command) {
		code, out, failed := logstream(append(slices.Clone(path), "--help")...)
		if code != exitDone || failed != "" || !strings.HasPrefix(out, cmd.Short+"\n\nUsage:\n  logstream") || !strings.Contains(out, "\nExamples:\n  ") || !strings.Contains(out, "--config file") {
			t.Errorf("exit %d\n%s%s", code, out, failed)
		}
		if cmd.HasParent() && (strings.HasSuffix(cmd.Short, ".") || cmd.GroupID == "") {
			t.Errorf("%q in %q: no full stop, and a group", cmd.Short, cmd.GroupID)
		}
		if lines := strings.Split(out, "\n"); slices.ContainsFunc(lines, func(line string) bool { return len(line) > 250 }) {
			t.Errorf("a line is too long:\n%s", out)
		}
		for line := range strings.Lines(cmd.Example) {
			if !takes(t, line) {
				t.Errorf("the example %q is not a command line of logstream", line)
			}
		}
		if has := cmd.Flags().Lookup("json") != nil; has == slices.Contains(noData, cmd.Name()) {
			t.Errorf("--json: %v", has)
		}
		if code, same, _ := logstream(append([]string{"help"}, path...)...); code != exitDone || same != out {
			t.Errorf("logstream help prints another text: exit %d\n%s", code, same)
		}
	})
}

// takes says whether a line of a shell calls logstream with a command and flags
// that it has. Of several commands in one line the last counts.
func takes(t *testing.T, line string) bool {
	t.Helper()
	_, after, is := strings.Cut(line[strings.LastIndex(line, "&& ")+1:], "logstream ")
	if !is {
		return false
	}
	after, _, _ = strings.Cut(after, ")") // of a substitution
	after, _, _ = strings.Cut(after, " >")
	after, _, _ = strings.Cut(after, " |")
	words := strings.Fields(after)
	root := rootCommand()
	root.InitDefaultHelpCmd()
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root && !strings.HasPrefix(words[0], "-") {
		return false
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	if cmd.ParseFlags(rest) != nil {
		return false
	}
	at := slices.IndexFunc(cmd.Flags().Args(), func(word string) bool { return strings.HasSuffix(word, `"`) }) // the rest of a quoted value
	args := cmd.Flags().Args()
	if at >= 0 {
		args = args[at+1:]
	}
	return cmd == root || len(args) <= len(argumentsOf(cmd))
}

// TestFlagsMayFollowArguments in any order, as people type them.
func TestFlagsMayFollowArguments(t *testing.T) {
	path := written(t, "services: [{name: web, url: 'http://127.0.0.1:1', timeout: 1s}]")
	for _, args := range [][]string{{"probe", "web", "--config", path}, {"probe", "--config", path, "web"}, {"--config", path, "probe", "web"}, {"probe", "web", "--config=" + path}} {
		if code, out, failed := logstream(args...); code != exitFailed || !strings.Contains(out, "web is DOWN") || failed != "" {
			t.Errorf("%q: exit %d, %s%s", args, code, out, failed)
		}
	}
}

// TestCompletion completes what a shell would request.
func TestCompletion(t *testing.T) {
	path := written(t, "dashboard: {listen: '127.0.0.1:1'}\nservices: [{name: web, url: 'http://a'}, {name: db, url: 'http://b'}]")
	for _, c := range []struct{ typed, want string }{
		{"ve", "verify-deploy\tWait for"},
		{"silence --config " + path + " ", "web\ndb\n"},
		{"probe --config " + path + " w", "web\n"},
		{"import ", "gatus\nuptime-kuma\n"},
		{"completion z", "zsh\n"},
		{"help dem", "\n"},
		{"help gam", "gameday\n"},
		{"hold --fo", "--for\t"},
	} {
		words := strings.Split(c.typed, " ")
		if code, out, _ := logstream(append([]string{cobra.ShellCompRequestCmd}, words...)...); code != exitDone || !strings.HasPrefix(out, strings.TrimPrefix(c.want, "\n")) {
			t.Errorf("%q completes to %q, want %q", c.typed, out, c.want)
		}
	}
	for _, s := range shells {
		if code, out, failed := logstream("completion", s.name); code != exitDone || len(out) < 1000 || !strings.Contains(out, cobra.ShellCompRequestCmd) || failed != "" {
			t.Errorf("%s: exit %d, %d bytes, %s", s.name, code, len(out), failed)
		}
	}
}

// TestDocumentsNameCommandsThatExist checks each command line of logstream in
// README.md and docs.
func TestDocumentsNameCommandsThatExist(t *testing.T) {
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	spans := regexp.MustCompile("`(?:\\./)?(logstream [a-z-][^`\n]*)`|(?m:^\\$ [^\n]*?(logstream [a-z-][^\n#]*)$)")
	n := 0
	for _, file := range append(files, "README.md") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range spans.FindAllStringSubmatch(string(content), -1) {
			line := found[1] + found[2]
			if n++; !takes(t, line) {
				t.Errorf("%s: %q is not a command line of logstream", file, line)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d command lines were found", n)
	}
}
