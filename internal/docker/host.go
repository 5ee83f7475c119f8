package docker

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
)

// place is where an engine is and how to get in.
type place struct {
	host   string // such as unix:///var/run/docker.sock or tcp://10.0.0.5:2376
	source string // who said so, for messages
	certs  string // folder with ca.pem, cert.pem and key.pem, or empty: no TLS
	verify bool   // check the engine's certificate

	provisional bool // nothing was found yet: it is searched again
}

// surroundings are what of the process's environment decides about the engine.
type surroundings struct {
	dockerHost    string // DOCKER_HOST
	dockerContext string // DOCKER_CONTEXT
	certPath      string // DOCKER_CERT_PATH
	tlsVerify     bool   // DOCKER_TLS_VERIFY is not empty
	configFolder  string // DOCKER_CONFIG or ~/.docker; empty: none
	home          string // empty: none
	runtimeFolder string // XDG_RUNTIME_DIR, or where it is by default; empty: none

	isSocket func(path string) bool
}

func environment() surroundings {
	s := surroundings{
		dockerHost:    os.Getenv("DOCKER_HOST"),
		dockerContext: os.Getenv("DOCKER_CONTEXT"),
		certPath:      os.Getenv("DOCKER_CERT_PATH"),
		tlsVerify:     os.Getenv("DOCKER_TLS_VERIFY") != "",
		configFolder:  os.Getenv("DOCKER_CONFIG"),
		runtimeFolder: os.Getenv("XDG_RUNTIME_DIR"),
		isSocket:      isSocket,
	}
	if home, err := os.UserHomeDir(); err == nil {
		s.home = home
	}
	if s.configFolder == "" && s.home != "" {
		s.configFolder = filepath.Join(s.home, ".docker")
	}
	if uid := os.Getuid(); s.runtimeFolder == "" && uid >= 0 { // a service has no login, and so no variable
		s.runtimeFolder = filepath.Join("/run/user", strconv.Itoa(uid))
	}
	return s
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Type() == fs.ModeSocket
}

// locate finds the engine as the docker command does: the configured address,
// else DOCKER_HOST, else the context that DOCKER_CONTEXT names or that
// "docker context use" made the current one, else the first of the standard
// sockets that exists.
func locate(config Config, env surroundings) (place, error) {
	var where place
	switch {
	case config.Host != "":
		where = place{host: config.Host, source: "docker.host in config.yaml"}.withCertificates(env)
	case env.dockerHost != "":
		where = place{host: env.dockerHost, source: "DOCKER_HOST"}.withCertificates(env)
	default:
		current, found, err := currentContext(env)
		if err != nil {
			return place{}, err
		}
		where = current
		if !found {
			where = standardSocket(env)
		}
	}
	return where, where.check()
}

// standardSocket is the first that exists of the sockets at which engines
// listen by default. Where there is none it is the first of all, provisionally:
// an engine may still come up.
func standardSocket(env surroundings) place {
	for i, s := range standardSockets(env) {
		if !env.isSocket(s.path) {
			continue
		}
		source := s.of
		if i > 0 {
			source += ": the first standard socket that exists"
		}
		return place{host: "unix://" + s.path, source: source}
	}
	return place{host: client.DefaultDockerHost, source: "the default: none of the standard sockets exists", provisional: true}
}

type socket struct{ of, path string }

// standardSockets are those of this machine and user, in the order in which they are tried.
func standardSockets(env surroundings) []socket {
	all := []socket{{"the system's Docker socket", strings.TrimPrefix(client.DefaultDockerHost, "unix://")}}
	if env.runtimeFolder != "" {
		all = append(all, socket{"rootless Docker", filepath.Join(env.runtimeFolder, "docker.sock")})
	}
	if env.home != "" {
		all = append(all, socket{"Docker Desktop", filepath.Join(env.home, ".docker", "desktop", "docker.sock")},
			socket{"Docker in the home folder", filepath.Join(env.home, ".docker", "run", "docker.sock")})
	}
	all = append(all, socket{"Podman", "/run/podman/podman.sock"})
	if env.runtimeFolder != "" {
		all = append(all, socket{"rootless Podman", filepath.Join(env.runtimeFolder, "podman", "podman.sock")})
	}
	return all
}

// withCertificates adds the certificates that the environment names. They are
// for TCP alone; a context has its own.
func (p place) withCertificates(env surroundings) place {
	if !strings.HasPrefix(p.host, "tcp://") {
		return p
	}
	p.certs, p.verify = env.certPath, env.tlsVerify
	if p.certs == "" && p.verify {
		p.certs = env.configFolder
	}
	return p
}

func (p place) check() error {
	if strings.HasPrefix(p.host, "ssh://") {
		return fmt.Errorf("use the Docker engine at %q (%s): an engine over ssh is not supported: "+
			"forward its socket (ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST) and set docker.host to unix:///tmp/docker.sock",
			p.host, p.source)
	}
	address, err := client.ParseHostURL(p.host)
	if err != nil {
		return fmt.Errorf("use the Docker engine at %q (%s): not an address such as unix:///var/run/docker.sock or tcp://10.0.0.5:2376: %w",
			p.host, p.source, err)
	}
	switch address.Scheme {
	case "unix", "tcp", "http", "https", "npipe":
		return nil
	default:
		return fmt.Errorf("use the Docker engine at %q (%s): %q is none of the schemes unix, tcp, http, https",
			p.host, p.source, address.Scheme)
	}
}

// options are those of the Docker client for this place.
func (p place) options() ([]client.Opt, error) {
	options := []client.Opt{client.WithHost(p.host), client.WithUserAgent("logstream")}
	if p.certs == "" {
		return options, nil
	}
	config, err := p.tls()
	if err != nil {
		return nil, fmt.Errorf("use the Docker engine at %s (%s): read the certificates in %s: %w", p.host, p.source, p.certs, err)
	}
	// The address is applied to this transport by WithHost, which comes after.
	// A new transport for each client: closing one must not touch another.
	secure := func(c *client.Client) error {
		return client.WithHTTPClient(&http.Client{
			Transport:     &http.Transport{TLSClientConfig: config.Clone()},
			CheckRedirect: client.CheckRedirect,
		})(c)
	}
	return append([]client.Opt{secure}, options...), nil
}

func (p place) tls() (*tls.Config, error) {
	return tlsconfig.Client(tlsconfig.Options{
		CAFile:             filepath.Join(p.certs, "ca.pem"),
		CertFile:           filepath.Join(p.certs, "cert.pem"),
		KeyFile:            filepath.Join(p.certs, "key.pem"),
		InsecureSkipVerify: !p.verify,
		ExclusiveRootPools: true,
	})
}
