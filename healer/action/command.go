package action

import (
	"strings"

	"logstream/internal/event"
)

// CommandLine is what a person would type for it with a program such as docker:
// shown, never executed. It is empty where there is no such program, or no one
// line that does it.
func (a Action) CommandLine(program string, t Target, p event.Params) string {
	if program == "" || a.line == nil {
		return ""
	}
	return a.line(t, p)
}

// docker is a line of that program with its arguments quoted.
func docker(words ...string) string {
	for i, word := range words {
		words[i] = Quote(word)
	}
	return "docker " + strings.Join(words, " ")
}

// simply is the line of an action that is one word with the container's name.
func simply(words ...string) func(Target, event.Params) string {
	return func(t Target, _ event.Params) string { return docker(append(append([]string{}, words...), t.Name)...) }
}

// composeUp is how Compose creates a service's container again, or empty where
// it is not known to be Compose's.
func composeUp(t Target) string {
	project, name, is := strings.Cut(t.Def.Container, "/")
	switch {
	case t.State.Service != "":
		return docker("compose", "-p", t.State.Project, "up", "-d", "--no-deps", "--force-recreate", t.State.Service)
	case t.Missing && is:
		return docker("compose", "-p", project, "up", "-d", "--no-deps", name)
	case t.Missing && t.Def.Container != "":
		return docker("compose", "up", "-d", t.Def.Container)
	}
	return ""
}

// Quote makes a word safe to paste into a shell.
func Quote(word string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("-_./:=", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
