package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// currentContext is the engine of the docker command's current context
// ("docker context ls"), and whether there is one besides the default. The
// files are the docker command's own: config.json names the context, and
// contexts/meta/<SHA-256 of the name>/meta.json has its address.
func currentContext(env surroundings) (place, bool, error) {
	name, err := contextName(env)
	if err != nil || name == "" || name == "default" {
		return place{}, false, err
	}
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	path := filepath.Join(env.configFolder, "contexts", "meta", id, "meta.json")
	var meta struct {
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	if err := readJSON(path, &meta); errors.Is(err, fs.ErrNotExist) {
		return place{}, false, fmt.Errorf("use the docker context %q: it doesn't exist: see docker context ls, or set docker.host", name)
	} else if err != nil {
		return place{}, false, fmt.Errorf("use the docker context %q: %w", name, err)
	}
	endpoint := meta.Endpoints["docker"]
	if endpoint.Host == "" {
		return place{}, false, fmt.Errorf("use the docker context %q: %s has no address of a Docker engine", name, path)
	}
	where := place{host: endpoint.Host, source: fmt.Sprintf("the docker context %q", name), verify: !endpoint.SkipTLSVerify}
	certs := filepath.Join(env.configFolder, "contexts", "tls", id, "docker")
	if info, err := os.Stat(certs); err == nil && info.IsDir() {
		where.certs = certs
	}
	return where, true, nil
}

func contextName(env surroundings) (string, error) {
	if env.dockerContext != "" || env.configFolder == "" {
		return env.dockerContext, nil
	}
	var config struct{ CurrentContext string }
	err := readJSON(filepath.Join(env.configFolder, "config.json"), &config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find the current docker context: %w", err)
	}
	return config.CurrentContext, nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
