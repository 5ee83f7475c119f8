package newconfig

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"logstream/healer/llm"
)

var found = File{
	Services: []Service{
		{Name: "web", Group: "shop", Container: "shop-web-1", URL: "http://127.0.0.1:8080", HealthCheck: true, DependsOn: []string{"db", "yes"}},
		{Name: "db", Group: "shop", Container: "shop-db-1", URL: "tcp://127.0.0.1:5432", StoppedBy: "docker-volume-backup", DependsOn: []string{}},
		{Name: "yes", Container: "yes", AnyStatus: true, URL: "http://[::1]:80"},
		{Name: "$HOME: [x", Container: "odd", Insecure: true, URL: "https://127.0.0.1:9443"},
	},
	LeftOut:   []LeftOut{{"blue", "two\n- name: evil"}},
	Dashboard: "127.0.0.1:5001", Broker: "127.0.0.1:9092",
}

// read is the file as a reader of YAML takes it.
func read(t *testing.T, f File) (c struct {
	Healer    struct{ Mode, Decide string }
	Dashboard struct{ Listen string }
	Docker    struct{ Host, Discover string }
	Services  []struct {
		Name, URL, Container, Group string
		DependsOn                   []string `yaml:"depends_on"`
		Expect                      struct{ Status string }
		TLS                         struct{ Insecure bool }
		Heal                        struct {
			ManualStop string `yaml:"manual_stop"`
		}
	}
}) {
	t.Helper()
	if err := yaml.Unmarshal(f.Bytes(), &c); err != nil {
		t.Fatalf("%v\n%s", err, f.Bytes())
	}
	return c
}

func TestTheFileHasWhatWasFound(t *testing.T) {
	c := read(t, found)
	if c.Healer.Mode != "observe" || c.Dashboard.Listen != "127.0.0.1:5001" || c.Docker.Discover != "off" || len(c.Services) != 4 {
		t.Fatalf("it is %+v", c)
	}
	if c.Healer.Decide != "runbook" || !strings.Contains(string(found.Bytes()), "ollama pull "+llm.Default().Model+")\n") {
		t.Errorf("a machine without a model would report that it is missing: %q", c.Healer.Decide)
	}
	if s := c.Services[0]; s.Name != "$$HOME: [x" || !s.TLS.Insecure {
		t.Errorf("a name with a dollar sign is %+v", s)
	}
	if s := c.Services[1]; s.Name != "yes" || s.URL != "http://[::1]:80" || s.Expect.Status != "200-499" {
		t.Errorf("yes is %+v", s)
	}
	if s := c.Services[2]; s.Name != "db" || s.Heal.ManualStop != "ignore" {
		t.Errorf("db is %+v", s)
	}
	if s := c.Services[3]; s.Name != "web" || s.Group != "shop" || s.Container != "shop-web-1" || strings.Join(s.DependsOn, " ") != "db yes" {
		t.Errorf("web is %+v", s)
	}
	text := string(found.Bytes())
	if strings.Contains(text, "\n- name: evil") || strings.Count(text, "# group shop") != 1 {
		t.Error(text)
	}
	elsewhere := found
	elsewhere.Engine = "tcp://10.0.0.5:2376"
	if c := read(t, elsewhere); c.Docker.Host != elsewhere.Engine || c.Docker.Discover != "off" {
		t.Errorf("with an engine from the environment it has %+v", c.Docker)
	}
	labelled := found
	labelled.Labelled = true
	if c := read(t, labelled); c.Docker.Discover != "labelled" {
		t.Errorf("it discovers %q", c.Docker.Discover)
	}
	if c := read(t, File{}); len(c.Services) != 0 {
		t.Errorf("without a container it has %+v", c.Services)
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	found.Table(&out)
	want := `SERVICE    CONTAINER   CHECK                                DEPENDS ON  NOTE
$HOME: [x  odd         https://127.0.0.1:9443                           certificate not verified
yes        yes         http://[::1]:80                                  answers without success: give a better url
db         shop-db-1   tcp://127.0.0.1:5432                             stops are left to docker-volume-backup
web        shop-web-1  http://127.0.0.1:8080 + HEALTHCHECK  db, yes     
-          blue        -                                                not monitored: two - name: evil
`
	if out.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", &out, want)
	}
}
