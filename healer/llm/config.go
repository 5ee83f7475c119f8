package llm

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"logstream/internal/service"
)

// Config is which model is queried, and where it is.
type Config struct {
	Provider string        `yaml:"provider"` // ollama
	URL      string        `yaml:"url"`
	Model    string        `yaml:"model"`
	Timeout  time.Duration `yaml:"timeout"` // of one query, loading the model and thinking included
	Think    Think         `yaml:"think"`
	Share    bool          `yaml:"share"` // a model that is not on this machine may see evidence
}

// Think says whether a model thinks before it answers.
type Think string

// When a model thinks.
const (
	ThinkAuto Think = "auto" // where it can
	ThinkOn   Think = "on"
	ThinkOff  Think = "off" // one pass, and the fastest
)

// Ollama is the only provider there is.
const Ollama = "ollama"

// Default is the configuration before anything is configured.
func Default() Config {
	return Config{Provider: Ollama, URL: "http://localhost:11434", Model: "deepseek-r1:1.5b", Timeout: 20 * time.Second, Think: ThinkAuto}
}

const (
	minTimeout = time.Second
	maxTimeout = 10 * time.Minute
	maxModel   = 200 // bytes of a model's name
)

// Problems are all that is wrong with c; nil where nothing is.
func (c Config) Problems() []service.Problem {
	var all []service.Problem
	add := func(key, value, format string, args ...any) {
		all = append(all, service.Problem{Key: key, Value: value, Message: fmt.Sprintf(format, args...)})
	}
	if c.Provider != Ollama {
		add("provider", c.Provider, "is not a provider; use ollama")
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "":
		add("url", service.MaskURL(c.URL), "is not the address of an Ollama server, such as http://localhost:11434")
	case !c.Share && !onThisMachine(u.Hostname()):
		add("url", service.MaskURL(c.URL), "is on another machine, which would see evidence: facts and log lines of your services; healer.llm.share: true allows it")
	}
	if strings.TrimSpace(c.Model) != c.Model || c.Model == "" || len(c.Model) > maxModel {
		add("model", c.Model, "is not the name of a model, such as deepseek-r1:1.5b")
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		add("timeout", c.Timeout.String(), "must be between 1s and 10m")
	}
	if c.Think != ThinkAuto && c.Think != ThinkOn && c.Think != ThinkOff {
		add("think", string(c.Think), "must be auto, on or off")
	}
	return all
}

// onThisMachine says whether a host name or address is a loopback one.
func onThisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
