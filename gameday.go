package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"logstream/bus"
	"logstream/internal/config"
	"logstream/internal/gameday"
)

// signatureSuffix is what a report's signature adds to its file's name.
const signatureSuffix = ".sig"

// gamedayCommand injects faults one after another, and writes a signed report.
func gamedayCommand() *cobra.Command {
	cmd := newCommand("gameday", "Inject reversible faults one after another and report which LogStream healed; exit code 1 if it did not heal one",
		"logstream gameday --services payment-service,inventory-service\nlogstream gameday --verify gameday-20260301-020000.md")
	services := cmd.Flags().StringSlice("services", nil, "`names` of services; default: all with chaos: true")
	faults := cmd.Flags().StringSlice("faults", nil, "`names` of faults, or all; default: those that LogStream can repair without a person")
	window := lengthFlag(cmd, "window", 10*time.Minute, "how long (a `duration`) faults are injected")
	limit := lengthFlag(cmd, "limit", 2*time.Minute, "how long (a `duration`) one repair may take; then the fault is undone")
	out := cmd.Flags().String("out", ".", "the `directory` of the report")
	verify := cmd.Flags().String("verify", "", "check the signature of the report in this `file`, and do nothing else")
	asJSON := cmd.Flags().Bool("json", false, "print the report as JSON")
	open := clientOf(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *verify != "" {
			return verifyReport(cmd, *verify)
		}
		if err := os.MkdirAll(*out, 0o755); err != nil {
			return startupFailure{fmt.Errorf("gameday: %w", err)}
		}
		c, err := open()
		if err != nil {
			return err
		}
		ctx, restore := untilSignal(cmd.Context())
		defer restore()
		day := gameday.Day{API: gamedayAPI{c}, Window: *window, Limit: *limit, Report: func(r gameday.Result) {
			fmt.Fprintln(cmd.ErrOrStderr(), resultLine(r))
		}}
		offered, known, err := day.Read(ctx)
		if err != nil {
			return startupFailure{fmt.Errorf("gameday: %w", err)}
		}
		plan, err := gameday.Plan(offered, known, *services, *faults)
		if err != nil {
			return usageFailure(cmd, "%v", err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s at most; Ctrl-C undoes what is left\n", plural(len(plan), "fault"), *window)
		report, err := day.Run(ctx, plan)
		if err != nil {
			return fmt.Errorf("gameday: %w", err)
		}
		return finishDay(cmd, report, *out, *asJSON)
	}
	return cmd
}

// gamedayAPI is a client as a game day needs it.
type gamedayAPI struct{ client }

// Get is gameday.API's.
func (a gamedayAPI) Get(ctx context.Context, path []string, query url.Values, into any) error {
	return a.call(ctx, http.MethodGet, path, query, nil, into)
}

// Command is gameday.API's.
func (a gamedayAPI) Command(ctx context.Context, path []string, body any) error {
	done, err := a.execute(ctx, http.MethodPost, path, body)
	if answered := new(apiError); err != nil && (done.Result != nil || errors.As(err, answered)) {
		return fmt.Errorf("%w: %w", gameday.ErrRefused, err)
	}
	return err
}

// finishDay writes and prints the report; its error is the exit code.
func finishDay(cmd *cobra.Command, report *gameday.Report, dir string, asJSON bool) error {
	content, err := report.JSON()
	if err != nil {
		return fmt.Errorf("gameday: encode the report: %w", err)
	}
	if asJSON {
		_, _ = cmd.OutOrStdout().Write(content) // a closed output needs no error
	} else {
		fmt.Fprintln(cmd.OutOrStdout(), report.Headline)
	}
	secret, unsigned := secretFor(cmd)
	if unsigned != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "logstream: the report is not signed: %v\n", unsigned)
	}
	name := filepath.Join(dir, "gameday-"+report.Started.Format("20060102-150405"))
	for suffix, content := range map[string][]byte{".json": content, ".md": report.Markdown()} {
		if err := writeSigned(name+suffix, content, secret); err != nil {
			return fmt.Errorf("gameday: write the report: %w", err)
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "report: %[1]s.md and %[1]s.json\n", name)
	if !report.Passed {
		return errPrinted
	}
	return nil
}

// writeSigned writes a file, and its signature where there is a secret.
func writeSigned(path string, content, secret []byte) error {
	err := os.WriteFile(path, content, 0o644)
	if err != nil || secret == nil {
		return err
	}
	return os.WriteFile(path+signatureSuffix, []byte(gameday.Sign(secret, content)+"\n"), 0o644)
}

// secretFor is the secret of the configuration file's instance.
func secretFor(cmd *cobra.Command) ([]byte, error) {
	c, report := config.Load(configPath(cmd))
	if len(report.Errors) > 0 {
		return nil, errors.New(report.Errors[0].String())
	}
	return bus.ReadSecret(c.Bus)
}

func verifyReport(cmd *cobra.Command, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return startupFailure{fmt.Errorf("gameday: %w", err)}
	}
	signature, err := os.ReadFile(path + signatureSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not signed: there is no %s", path, path+signatureSuffix)
	}
	if err != nil {
		return startupFailure{fmt.Errorf("gameday: %w", err)}
	}
	secret, err := secretFor(cmd)
	if err != nil {
		return startupFailure{fmt.Errorf("gameday: %w", err)}
	}
	if !gameday.Verify(secret, content, string(signature)) {
		return fmt.Errorf("%s does not have the signature of this LogStream: it was changed, or another instance wrote it", path)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "the signature of %s is valid\n", path)
	return nil
}

// resultLine is a result as a person reads it.
func resultLine(r gameday.Result) string {
	icon := map[gameday.Outcome]string{gameday.Healed: "✅", gameday.NotHealed: "❌"}[r.Outcome]
	line := fmt.Sprintf("%s %s %s: %s", cmp.Or(icon, "⚪"), r.Service, r.Fault, r.Outcome.Words())
	if r.DownMS != nil {
		line += fmt.Sprintf(" after %.1f s", *r.DownMS/1000)
	}
	if r.Undone {
		line += ", undone"
	}
	return because(line, r.Why)
}
