package service

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"logstream/internal/text"
)

// maxArgs is how many words a command may have, the program included.
const maxArgs = 32

// Command is a command of the operator's own: a fixed list, that no shell sees.
type Command struct {
	Name string
	Args []string // the program first; nil in a definition that was published
}

// Commands are a service's, in the order of config.yaml.
type Commands []Command

// Names are theirs.
func (c Commands) Names() []string {
	var names []string
	for _, command := range c {
		names = append(names, command.Name)
	}
	return names
}

// Named is the command with that name; false where there is none.
func (c Commands) Named(name string) (Command, bool) {
	i := slices.IndexFunc(c, func(command Command) bool { return command.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return c[i], true
}

// UnmarshalYAML reads {name: [program, argument, …]}.
func (c *Commands) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return errors.New("must be a section of names, each with a list: the program and its arguments")
	}
	var all Commands
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, list := node.Content[i].Value, node.Content[i+1]
		if list.Kind != yaml.SequenceNode {
			return fmt.Errorf("has %q, which is not a list: write the program and each argument as an item, such as [/usr/bin/reload, --all]; no shell is used", text.Short(name))
		}
		if _, twice := all.Named(name); twice {
			return fmt.Errorf("has %q twice", text.Short(name))
		}
		command := Command{Name: name}
		for _, item := range list.Content {
			if item.Kind != yaml.ScalarNode {
				return fmt.Errorf("has %q, whose items must be single words", text.Short(name))
			}
			command.Args = append(command.Args, item.Value)
		}
		all = append(all, command)
	}
	*c = all
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads. The order is lost where it becomes
// JSON on its way.
func (c Commands) MarshalYAML() (any, error) {
	out := yaml.Node{Kind: yaml.MappingNode}
	for _, command := range c {
		var args yaml.Node
		if err := args.Encode(command.Args); err != nil {
			return nil, err
		}
		out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: command.Name}, &args)
	}
	return &out, nil
}

var commandName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// problems are what is wrong with them. Their arguments are never shown.
func (c Commands) problems() []Problem {
	var all []Problem
	add := func(name, format string, args ...any) {
		all = append(all, Problem{Key: "heal.commands", Message: fmt.Sprintf("has %q, which ", text.Short(name)) + fmt.Sprintf(format, args...)})
	}
	for _, command := range c {
		switch args := command.Args; {
		case !commandName.MatchString(command.Name):
			add(command.Name, "is not the name of a command: use 1 to 64 small letters, digits, _ and -")
		case len(args) == 0 || args[0] == "":
			add(command.Name, "names no program")
		case len(args) > maxArgs:
			add(command.Name, "has %d words, more than %d", len(args), maxArgs)
		case slices.Contains(args, ""):
			add(command.Name, "has an empty argument")
		}
	}
	return all
}
