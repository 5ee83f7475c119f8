package docker

// Config is where the engine is.
type Config struct {
	Host string `yaml:"host"` // empty: DOCKER_HOST, the current context, or the first standard socket that exists
}
