package dashboard

// Config is where the page is served.
type Config struct {
	Listen string `yaml:"listen"` // beyond loopback only with a token
	Token  string `yaml:"token"`
}

// Default is the configuration before anything is configured.
func Default() Config { return Config{Listen: "127.0.0.1:5000"} }
