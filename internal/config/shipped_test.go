package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"logstream/internal/service"
)

const shipped = "../../config.yaml"

func TestTheShippedFile(t *testing.T) {
	t.Setenv("LOGSTREAM_KAFKA", "")
	c, report := Load(shipped)
	if len(report.Errors)+len(report.Warnings) > 0 {
		t.Fatal(report)
	}
	if c.Healer.Mode != service.Auto || c.Healer.ManualGrace != time.Second || len(c.Bus.Brokers) != 0 || len(c.Services) != 2 {
		t.Errorf("got %+v", c)
	}
	for i, want := range []service.Definition{
		{Name: "payment-service", URL: "http://localhost:8080"},
		{Name: "inventory-service", URL: "http://localhost:8081"},
	} {
		s := c.Services[i]
		if s.Name != want.Name || s.URL != want.URL || s.Container != want.Name || !s.Chaos || s.Heal.ManualStop != service.StopAlways ||
			s.Interval != 2*time.Second || s.Timeout != time.Second || s.FailureThreshold != 2 || s.SuccessThreshold != 2 {
			t.Errorf("service %d: %+v", i, s)
		}
	}
	t.Setenv("LOGSTREAM_KAFKA", "127.0.0.1:9092,127.0.0.1:9093")
	if c, report = Load(shipped); len(report.Errors) > 0 || len(c.Bus.Brokers) != 2 {
		t.Errorf("with LOGSTREAM_KAFKA: brokers %v, %v", c.Bus.Brokers, report)
	}
}

// A key that works and isn't in the shipped file is one that people do not find.
func TestTheShippedFileHasEveryKey(t *testing.T) {
	content, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		t.Fatal(err)
	}
	var missing func(node *yaml.Node, of reflect.Type, key string)
	missing = func(node *yaml.Node, of reflect.Type, key string) {
		for _, f := range fieldsOf(of, key) {
			full, into := within(key, f.name), of.Field(f.index).Type
			child := childOf(node, f.name)
			switch {
			case child == nil:
				t.Errorf("%s is not there", full)
			case full == "defaults": // what a service has is shown at a service
			case into == reflect.TypeFor[[]service.Definition]():
				missing(child.Content[0], into.Elem(), full)
			case into.Kind() == reflect.Struct:
				missing(child, into, full)
			}
		}
	}
	// A service has the four of defaults there.
	payment := childOf(childOf(root.Content[0], "services").Content[0], "name")
	if payment == nil || payment.Value != "payment-service" {
		t.Fatal("the first service is another one")
	}
	first, defaults := childOf(root.Content[0], "services").Content[0], childOf(root.Content[0], "defaults")
	first.Content = append(first.Content, defaults.Content...)
	missing(root.Content[0], reflect.TypeFor[file](), "")
	for n, line := range strings.Split(string(content), "\n") {
		if strings.Contains(line, "\t") {
			t.Errorf("line %d has a tab", n+1)
		}
	}
}

func childOf(node *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i+1]
		}
	}
	return nil
}

func TestTheDemosConfiguration(t *testing.T) {
	c, report := Demo(DemoPlaces{Dashboard: "127.0.0.1:5001", Broker: "127.0.0.1:9093", Payment: "127.0.0.1:8082", Inventory: "127.0.0.1:8083", Database: "127.0.0.1:8084", Data: "/tmp/a: b"})
	if len(report.Errors)+len(report.Warnings) > 0 {
		t.Fatal(report)
	}
	if c.Dashboard.Listen != "127.0.0.1:5001" || c.Bus.Embedded.Listen != "127.0.0.1:9093" || c.Bus.Embedded.Data != "/tmp/a: b" ||
		c.Healer.Mode != service.Auto || len(c.Services) != 3 || c.Services[1].URL != "http://127.0.0.1:8083" ||
		!slices.Equal(c.Services[1].DependsOn, []string{"database"}) || c.Services[2].URL != "http://127.0.0.1:8084" {
		t.Errorf("got %+v", c)
	}
	for _, s := range c.Services {
		if !s.Chaos || s.Container != s.Name || s.Heal.ManualStop != service.StopAlways {
			t.Errorf("service %+v", s)
		}
	}
}
