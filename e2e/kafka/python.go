//go:build e2e

package kafka

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	//go:embed python/requirements.txt
	requirements []byte
	//go:embed python/worker.py
	worker string
)

// PythonWorker is a program that reads health logs at addr with kafka-python,
// and prints each as a line of JSON.
func PythonWorker(t testing.TB, addr string) *exec.Cmd {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(requirements)
	dir := filepath.Join(cache, "logstream-e2e", "python-"+hex.EncodeToString(digest[:4]))
	// deps.sh puts a copy of requirements.txt there when all of it is installed.
	if whole, err := os.ReadFile(filepath.Join(dir, "requirements.txt")); err != nil || !bytes.Equal(whole, requirements) {
		t.Fatalf("the kafka-python of e2e/kafka/python/requirements.txt is not in %s: make deps", dir)
	}
	return exec.Command(filepath.Join(dir, "bin", "python"), "-c", worker, addr)
}
