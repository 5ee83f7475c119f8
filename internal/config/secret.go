package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"logstream/internal/service"
	"logstream/internal/text"
)

// secrets are the keys whose values are never shown.
var secrets = []string{"secret", "token", "password", "commands", "authorization", "heartbeat"}

// holders are sections and lists of them that hold secrets: a single value in the
// place of one may be such a secret.
var holders = []string{"users", "tokens", "hooks", "notify", "receivers", "sasl"}

// shown is a value as an error may show it.
func shown(key, value string) string {
	last, _, _ := strings.Cut(key[strings.LastIndex(key, ".")+1:], "[")
	switch {
	case value == "":
		return ""
	case strings.HasSuffix(last, fileSuffix) && !isPath(value):
		return "***"
	case slices.Contains(secrets, last), slices.Contains(holders, last), last == "url" && strings.HasPrefix(key, "notify."), strings.Contains(key+".", ".request.") && last != "method":
		return "***"
	case last == "url", strings.Contains(value, "://"):
		return text.Clip(service.MaskURL(value), maxShown)
	}
	return text.Clip(value, maxShown)
}

// instead is a single value that stands where a section or a list must be, as an error
// may show it: token:x without a space is such a value.
func instead(value string) string {
	name, _, is := strings.Cut(value, ":")
	if is && (name == "url" || slices.Contains(secrets, name)) {
		return name + ":***"
	}
	return value
}

// beforeColon is a key of which a colon is a part, as an error may show it: what follows
// the colon is a value.
func beforeColon(key string) string {
	if name, _, is := strings.Cut(key, ":"); is {
		return name + ":***"
	}
	return key
}

// isPath says whether a value looks like the path of a file, and not like the
// secret itself, which may stand there by mistake.
func isPath(value string) bool {
	return strings.ContainsAny(value, "/.") && !strings.Contains(value, "://") && !strings.Contains(value, "$")
}

// fileSuffix ends a key that names a file with the value of the key before it:
// token_file of token. A type gets such a key by a field for it; nothing else is
// needed. Docker's and Compose's secrets are such files.
const fileSuffix = "_file"

// takeFiles reads the files that a section's keys name.
func (d *decoder) takeFiles(into reflect.Value, fields []field, key string) {
	for _, f := range fields {
		name, is := strings.CutSuffix(f.name, fileSuffix)
		i := slices.IndexFunc(fields, func(of field) bool { return of.name == name })
		if !is || i < 0 || into.Field(f.index).Kind() != reflect.String || into.Field(f.index).String() == "" {
			continue
		}
		d.takeFile(into.Field(fields[i].index), into.Field(f.index).String(), within(key, name))
	}
}

// takeFile gives the key that is called key the content of the file at path.
func (d *decoder) takeFile(into reflect.Value, path, key string) {
	at := d.places[key+fileSuffix]
	content, err := "", error(nil)
	switch {
	case d.literal:
		err = errors.New("cannot be read here: write the value itself")
	case d.places[key].text != "":
		err = fmt.Errorf("is set as well as %s: set only one of the two", key)
	default:
		d.files = append(d.files, path)
		content, err = ReadSecret(path)
	}
	if err != nil {
		d.failAt(at, key+fileSuffix, path, "", err.Error())
		d.wrong[key] = true // what else is wrong with it follows from that
		return
	}
	d.places[key] = place{line: at.line, column: at.column}
	into.SetString(content)
}

// ReadSecret is the content of a file that holds a secret, without the line break at its end.
func ReadSecret(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot be read: %w", cause(err))
	case !info.Mode().IsRegular():
		return "", errors.New("is not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", cause(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxText+1))
	switch secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"); {
	case err != nil:
		return "", fmt.Errorf("cannot be read: %w", cause(err))
	case len(content) > maxText:
		return "", fmt.Errorf("is longer than %d bytes", maxText)
	case secret == "":
		return "", errors.New("is empty")
	default:
		return secret, nil
	}
}

// cause is the system's error without the path, which is shown anyway.
func cause(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
