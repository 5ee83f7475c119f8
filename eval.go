package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"logstream/healer/eval"
	"logstream/healer/llm"
	"logstream/internal/nearest"
)

// evalCommand scores a model, or the runbook, on the recorded incidents that ship with
// LogStream. It runs no repair.
func evalCommand() *cobra.Command {
	cmd := newCommand("eval", "Replay recorded incidents, and score the choices of a model, or of the runbook; repairs nothing",
		"logstream eval\nlogstream eval --model deepseek-r1:1.5b\nlogstream eval --model deepseek-r1:1.5b --only http-500")
	name := cmd.Flags().String("model", "", "score the model `name`, which must be on the server at healer.llm.url; default: the runbook alone")
	only := cmd.Flags().StringSlice("only", nil, "score only these incidents: `names` separated by commas, as logstream eval prints them; default: all")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cases, err := chosenCases(cmd, *only)
		if err != nil {
			return err
		}
		ctx, restore := untilSignal(cmd.Context())
		defer restore()
		if *name == "" && cmd.Flags().Changed("model") {
			return usageFailure(cmd, "--model: the name is missing")
		}
		model, err := modelToScore(ctx, cmd, *name)
		if err != nil {
			return err
		}
		p := evalPrinter{out: cmd.OutOrStdout(), color: consoleOf(cmd.OutOrStdout(), cmd.ErrOrStderr()).color, model: *name, quiet: *asJSON}
		p.head(cases)
		if err := eval.Run(ctx, cases, model, p.result); err != nil {
			return evalFailure(ctx, err)
		}
		if *asJSON {
			report := struct {
				Model     string        `json:"model,omitempty"`
				Score     eval.Score    `json:"score"`
				Incidents []eval.Result `json:"incidents"`
			}{*name, eval.ScoreOf(p.results), p.results}
			_ = json.NewEncoder(cmd.OutOrStdout()).Encode(report) // a closed output needs no error
			return nil
		}
		p.foot()
		return nil
	}
	return cmd
}

// chosenCases are the recorded incidents of those names; of none, all.
func chosenCases(cmd *cobra.Command, only []string) ([]eval.Case, error) {
	all, err := eval.Cases()
	if err != nil || len(only) == 0 {
		return all, err
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			if near := nearest.Of(name, names); near != "" {
				return nil, usageFailure(cmd, "unknown incident %q; did you mean %q?", name, near)
			}
			return nil, usageFailure(cmd, "unknown incident %q; logstream eval prints the names", name)
		}
	}
	return slices.DeleteFunc(all, func(c eval.Case) bool { return !slices.Contains(only, c.Name) }), nil
}

// modelToScore is the model of that name, which answers; nil for no name.
func modelToScore(ctx context.Context, cmd *cobra.Command, name string) (eval.Model, error) {
	if name == "" {
		return nil, nil
	}
	config := llm.Default()
	_, err := os.Stat(configPath(cmd))
	read := err == nil || cmd.Flags().Changed("config")
	if read {
		c, _, err := loadConfig(cmd)
		if err != nil {
			return nil, err
		}
		config = c.Healer.LLM
	}
	config.Model = name
	if problems := config.Problems(); len(problems) > 0 {
		return nil, usageFailure(cmd, "--model: %q %s", problems[0].Value, problems[0].Message)
	}
	client, err := llm.New(config)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	if err := client.Check(ctx); err != nil {
		from := "the default of healer.llm.url; there is no " + configPath(cmd)
		if read {
			from = "healer.llm.url in " + configPath(cmd)
		}
		return nil, evalFailure(ctx, unreachable(err, from))
	}
	return client, nil
}

// evalFailure is why there is no score.
func evalFailure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("eval: interrupted; there is no score")
	}
	return fmt.Errorf("eval: %w", err)
}

// unreachable says how to fix it for this command, where no server answered: what the
// daemon would do without one is of no use here. from is where the address comes from.
func unreachable(err error, from string) error {
	missing := new(llm.Missing)
	if errors.As(err, &missing) && missing.Unanswered {
		return fmt.Errorf("%s (%s): start Ollama with ollama serve, or set healer.llm.url to where it runs", missing.Why, from)
	}
	return err
}

// evalPrinter prints each incident as soon as it is decided, and the score.
type evalPrinter struct {
	out     io.Writer
	color   bool
	model   string // empty: the runbook alone
	quiet   bool
	width   int // of the longest incident's name
	results []eval.Result
}

func (p *evalPrinter) head(cases []eval.Case) {
	for _, c := range cases {
		p.width = max(p.width, len(c.Name))
	}
	if !p.quiet {
		fmt.Fprintf(p.out, "Replaying %s, recorded on Docker; nothing is repaired.\n✅ right, ⚪ wrong without harm, or no usable answer, ❌ harmful\n\n", plural(len(cases), "incident"))
	}
}

func (p *evalPrinter) result(r eval.Result) {
	p.results = append(p.results, r)
	if p.quiet {
		return
	}
	line := fmt.Sprintf("%-*s  right: %-22s runbook: %s", p.width, r.Name, strings.Join(r.Right, " or "), marked(r.Runbook))
	if r.Model != nil {
		line = fmt.Sprintf("%-*s  model (%.1f s): %s", p.width+55, line, float64(r.MS)/1000, marked(*r.Model))
		if r.Model.Verdict != eval.Right {
			line += "; LogStream would do: " + marked(r.Done)
		}
	}
	fmt.Fprintln(p.out, printable(line))
}

// marked is a choice with what it was.
func marked(c eval.Choice) string {
	switch c.Verdict {
	case eval.Right:
		return "✅ " + c.Action
	case eval.Harmful:
		return "❌ " + c.Action + " (harmful)"
	case eval.Wrong:
		return "⚪ " + c.Action + " (wrong, no harm)"
	}
	return because("⚪ no usable answer", c.Why)
}

func (p *evalPrinter) foot() {
	s := eval.ScoreOf(p.results)
	fmt.Fprintf(p.out, "\nrunbook: %s\n", counted(s.Runbook))
	if s.Model == nil {
		return
	}
	fmt.Fprintf(p.out, "%s: %s; median answer time %.1f s\n", p.model, counted(*s.Model), s.Median().Round(100*time.Millisecond).Seconds())
	fmt.Fprintf(p.out, "LogStream with %s and the runbook: %s\n", p.model, counted(s.Done))
}

// counted are counts in words; what there is none of is left out.
func counted(n eval.Count) string {
	parts := []string{fmt.Sprintf("right in %d of %d", n.Right, n.Right+n.Wrong+n.Harmful+n.Unusable)}
	for _, more := range []struct {
		n    int
		what string
	}{{n.Harmful, "harmful in %d"}, {n.Wrong, "wrong without harm in %d"}, {n.Unusable, "no usable answer in %d"}} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf(more.what, more.n))
		}
	}
	return strings.Join(parts, ", ")
}
