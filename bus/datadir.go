package bus

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// StartError says that the bus can't start until a person changes something:
// an address in use, a directory in use or not writable. (What is
// merely down is retried instead.) Its text names what, why, and the remedy.
type StartError struct {
	What   string
	Err    error // may be nil
	Remedy string
}

func (e *StartError) Error() string {
	if e.Err == nil {
		return e.What + ": " + e.Remedy
	}
	return fmt.Sprintf("%s: %v: %s", e.What, e.Err, e.Remedy)
}

func (e *StartError) Unwrap() error { return e.Err }

// Files in the data directory.
const (
	lockFile     = "lock"     // holds the pid of the process that has the directory
	secretFile   = "secret"   // signs our records
	instanceFile = "instance" // four characters that distinguish two data directories
	logDir       = "log"      // the embedded broker's
)

// createDataDir creates the directory, for this user alone.
func createDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &StartError{fmt.Sprintf("data directory %s cannot be created", dir), err,
			"make it writable for this user, or set bus.embedded.data to another directory"}
	}
	return nil
}

// lockDataDir takes the directory for this process, until Unlock.
func lockDataDir(dir string) (*flock.Flock, error) {
	path := filepath.Join(dir, lockFile)
	lock := flock.New(path)
	got, err := lock.TryLock()
	if err != nil {
		return nil, &StartError{fmt.Sprintf("data directory %s cannot be locked", dir), err,
			"make it writable for this user, or set bus.embedded.data to another directory"}
	}
	if !got {
		return nil, &StartError{
			What:   fmt.Sprintf("data directory %s is in use by another logstream%s", dir, holder(path)),
			Remedy: "stop it, or set bus.embedded.data to another directory"}
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, errors.Join(notWritable(dir, err), lock.Unlock())
	}
	return lock, nil
}

// holder is " (pid 1234)", or "" where the file has no pid.
func holder(path string) string {
	content, err := os.ReadFile(path)
	pid := strings.TrimSpace(string(content))
	if _, bad := strconv.Atoi(pid); err != nil || bad != nil {
		return ""
	}
	return " (pid " + pid + ")"
}

func notWritable(dir string, err error) error {
	return &StartError{fmt.Sprintf("data directory %s is not writable", dir), err,
		"make it writable for this user, or set bus.embedded.data to another directory"}
}

// loadSecret is the configured secret, or that of the data directory, which is
// made at the first start.
func loadSecret(dir, configured string) ([]byte, error) {
	if configured != "" {
		return []byte(configured), nil
	}
	path := filepath.Join(dir, secretFile)
	content, err := keptFile(path, func() string {
		random := make([]byte, 32)
		rand.Read(random) // never fails, by its documentation
		return hex.EncodeToString(random)
	})
	if err != nil {
		return nil, notWritable(dir, err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(content, "\n"), "\r")
	if len(secret) < minSecret {
		return nil, &StartError{What: fmt.Sprintf("the secret in %s has %d characters; at least %d are required", path, len(secret), minSecret),
			Remedy: "delete the file so that a new one is generated, or set bus.secret"}
	}
	return []byte(secret), nil
}

var instanceTail = regexp.MustCompile(`^[0-9a-z]{4}$`)

// LoadIdentity is the name of this instance: the configured one, or the
// machine's name and four characters that the data directory keeps, so that
// it stays the same over restarts and differs between directories.
func LoadIdentity(dataDir, configured string) (instance string, err error) {
	if configured != "" {
		return configured, nil
	}
	if err := createDataDir(dataDir); err != nil {
		return "", err
	}
	path := filepath.Join(dataDir, instanceFile)
	content, err := keptFile(path, func() string { return strings.ToLower(rand.Text()[:4]) })
	if err != nil {
		return "", notWritable(dataDir, err)
	}
	tail := strings.TrimSpace(content)
	if !instanceTail.MatchString(tail) {
		return "", &StartError{What: fmt.Sprintf("%s must hold four characters, not %.20q", path, content),
			Remedy: "delete the file so that a new one is generated, or set instance"}
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "logstream"
	}
	return host + "-" + tail, nil
}

// keptFile is the content of path; where there is none, it is made, mode 0600,
// whole or not at all, and of two that make it at once one wins.
func keptFile(path string, content func() string) (string, error) {
	kept, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(kept), err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(content() + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", err
	}
	// A link fails where the file exists by now; where the file system knows
	// no links, renaming has to do.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(temp.Name(), path); err != nil {
			return "", err
		}
	}
	kept, err = os.ReadFile(path)
	return string(kept), err
}
