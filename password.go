package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/term"

	"logstream/dashboard/access"
)

// passwordCost is that of the hashes that are printed: one comparison takes a
// quarter of a second on a machine of 2026.
const passwordCost = 12

// passwordCommand prints the hash of a password, for dashboard.users. The
// password never stands in the command line, which other users of the machine
// could read, and shells keep.
func passwordCommand() *cobra.Command {
	cmd := newCommand("password", "Print the hash of a password, for dashboard.users of the configuration; the password is typed or comes on standard input",
		"logstream password\nlogstream password > ada.hash")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
		switch {
		case err != nil:
			return fmt.Errorf("password: %w", err)
		case password == "":
			return usageFailure(cmd, "the password is empty")
		case len(password) > access.MaxPassword:
			return usageFailure(cmd, "the password has %d bytes, and bcrypt reads only the first %d: choose a shorter one", len(password), access.MaxPassword)
		}
		hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
		if err != nil {
			return fmt.Errorf("password: %w", err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), string(hash))
		return nil
	}
	return cmd
}

// readPassword is the first line of in. On a terminal it is asked for twice, and
// not shown.
func readPassword(in io.Reader, say io.Writer) (string, error) {
	if file, is := in.(*os.File); is && term.IsTerminal(int(file.Fd())) {
		var typed [2]string
		for i, prompt := range []string{"Password: ", "Repeat the password: "} {
			fmt.Fprint(say, prompt)
			line, err := term.ReadPassword(int(file.Fd()))
			fmt.Fprintln(say)
			if err != nil {
				return "", err
			}
			typed[i] = string(line)
		}
		if typed[0] != typed[1] {
			return "", errors.New("the two passwords differ; try again")
		}
		return typed[0], nil
	}
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}
