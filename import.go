package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"logstream/internal/config"
	"logstream/internal/importer"
)

// importCommand makes a configuration out of another monitor's.
func importCommand() *cobra.Command {
	cmd := newCommand("import gatus|uptime-kuma FILE", "Write a config.yaml that monitors what Gatus or Uptime Kuma monitors",
		"logstream import gatus /etc/gatus/config.yaml\nlogstream import uptime-kuma data/kuma.db --config new.yaml")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return []cobra.Completion{"gatus", "uptime-kuma"}, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveDefault // a file
	}
	asJSON := cmd.Flags().Bool("json", false, "print what was written, and what has no equivalent, as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		result, err := imported(cmd, args[0], args[1])
		if err != nil {
			return startupFailure{err}
		}
		content, err := validated(result)
		if err != nil {
			return startupFailure{err}
		}
		if err := writeNew(configPath(cmd), content); err != nil {
			return startupFailure{err}
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(importedNotes(configPath(cmd), result))
		}
		printImported(cmd.OutOrStdout(), configPath(cmd), result)
		return nil
	}
	return cmd
}

func imported(cmd *cobra.Command, from, path string) (*importer.Result, error) {
	switch from {
	case "gatus":
		content, err := readFile(path)
		if err != nil {
			return nil, err
		}
		return importer.Gatus(path, content)
	case "uptime-kuma":
		result, err := importer.UptimeKuma(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; give the kuma.db in Uptime Kuma's data directory", err)
		}
		return result, err
	}
	return nil, unknownName(cmd, "monitor", from, []string{"gatus", "uptime-kuma"})
}

// maxImported bounds, in bytes, the file of another monitor.
const maxImported = 4 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s as the configuration of Gatus: %w; give its config.yaml", path, errors.Unwrap(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxImported+1))
	if err == nil && len(content) > maxImported {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxImported)
	}
	return content, err
}

// validated is the result as a file without errors: a service that has one
// becomes a comment which says so. Variables of the environment need not be set
// here.
func validated(result *importer.Result) ([]byte, error) {
	anything := func(string) (string, bool) { return "value", true }
	for {
		content, err := result.Config()
		if err != nil {
			return nil, err
		}
		_, report := config.Parse("config.yaml", content, anything)
		if len(report.Errors) == 0 {
			return content, nil
		}
		first := report.Errors[0]
		place, is := placeOf(first.Key)
		if !is {
			return nil, fmt.Errorf("the configuration would not be valid: %s", first)
		}
		result.Disable(place, strings.TrimPrefix(first.Key[strings.Index(first.Key, "]")+1:]+" "+first.Message, "."))
	}
}

// placeOf is 3 for services[3].url.
func placeOf(key string) (int, bool) {
	inner, is := strings.CutPrefix(key, "services[")
	number, _, closed := strings.Cut(inner, "]")
	place, err := strconv.Atoi(number)
	return place, is && closed && err == nil
}

// writeNew writes a file that must not exist; it may hold passwords.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return existsAlready(path)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = io.Copy(f, bytes.NewReader(content))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// importedView is what import prints with --json.
type importedView struct {
	Config   string         `json:"config"`
	Services int            `json:"services"`
	Notes    []importedNote `json:"notes"` // what has no equivalent
}

type importedNote struct {
	Service string `json:"service"` // empty: the whole
	Note    string `json:"note"`
}

func importedNotes(path string, result *importer.Result) importedView {
	v := importedView{Config: path, Services: result.Services(), Notes: []importedNote{}}
	for _, n := range result.Notes() {
		v.Notes = append(v.Notes, importedNote{n.Of, n.What})
	}
	return v
}

func printImported(w io.Writer, path string, result *importer.Result) {
	fmt.Fprintf(w, "%s monitors %s.\n", path, plural(result.Services(), "service"))
	if notes := result.Notes(); len(notes) > 0 {
		fmt.Fprintln(w, "\nDifferent, or without an equivalent (each is also a comment in the file):")
		for _, n := range notes {
			if n.Of != "" {
				fmt.Fprintf(w, "  %s: %s\n", n.Of, n.What)
				continue
			}
			fmt.Fprintf(w, "  %s\n", n.What)
		}
	}
	fmt.Fprintf(w, "\nNothing is repaired yet. Next: logstream check --config %[1]s, then logstream run --config %[1]s\n", path)
}
