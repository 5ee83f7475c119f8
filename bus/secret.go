package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ReadSecret is the secret that signs our records, as an instance with this
// configuration has it. Unlike the instance it makes none where there is none
// yet.
func ReadSecret(c Config) ([]byte, error) {
	if c.Secret != "" {
		return []byte(c.Secret), nil
	}
	path := filepath.Join(c.Embedded.Data, secretFile)
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no secret at %s: it is made when logstream first runs, or set bus.secret", path)
	case err != nil:
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if len(secret) < minSecret {
		return nil, fmt.Errorf("the secret in %s has %d characters; at least %d are required", path, len(secret), minSecret)
	}
	return []byte(secret), nil
}
