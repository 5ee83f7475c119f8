package process

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// newID has the form of a Docker container's ID.
func newID() string {
	var id [32]byte
	_, _ = rand.Read(id[:]) // never fails: it ends the program instead
	return hex.EncodeToString(id[:])
}

// program is the file to run. The program that runs now is, on Linux, asked
// of the kernel: that is the same one also after its file was replaced, as a
// build does, or deleted.
func program(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the file of the program that runs: %w", err)
	}
	return own, nil
}

// programName is the file's name, without its folder.
func programName(path string) string {
	if path == "" {
		path, _ = os.Executable() // without a name it still has its hash
	}
	return filepath.Base(path)
}

// imageIDs are the hashes of programs, each read once.
type imageIDs map[string]string

// of is the SHA-256 of the program's content. A file that can't be read has
// none: starting it says why.
func (ids imageIDs) of(path string) string {
	if id, known := ids[path]; known {
		return id
	}
	ids[path] = fileHash(path)
	return ids[path]
}

func fileHash(path string) string {
	name, err := program(path)
	if err != nil {
		return ""
	}
	file, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// specHash covers what starting the child takes besides its program: the
// arguments in their order and the names of the variables, not their values.
func specHash(spec Child) string {
	names := make([]string, len(spec.Env))
	for i, variable := range spec.Env {
		names[i], _, _ = strings.Cut(variable, "=")
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, part := range [][]string{spec.Args, names} {
		fmt.Fprintf(sum, "%d%q", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
