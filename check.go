package main

import (
	"encoding/json"
	"fmt"

	"logstream/internal/config"
)

// checkCommand says every mistake in the configuration.
func checkCommand(t terminal, args []string) int {
	set, path := flags(t, "check")
	asJSON := set.Bool("json", false, "for programs")
	if code, ok := parse(set, t, args); !ok {
		return code
	}
	c, errs := config.Load(*path)
	switch {
	case *asJSON:
		if errs == nil {
			errs = []config.Error{}
		}
		_ = json.NewEncoder(t.out).Encode(map[string][]config.Error{"errors": errs}) // whoever closed its end has no use for an error
	case len(errs) == 0:
		fmt.Fprintf(t.out, "%s is right: %s\n", *path, plural(len(c.Services), "service"))
	default:
		mistakes(t, errs)
	}
	if len(errs) > 0 {
		return exitNever
	}
	return exitDone
}

// mistakes prints one line for each.
func mistakes(t terminal, errs []config.Error) {
	for _, err := range errs {
		fmt.Fprintln(t.err, err.Error())
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
