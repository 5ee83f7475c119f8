package config

import (
	_ "embed" // for demo.yaml
)

//go:embed demo.yaml
var demo []byte

// DemoPlaces are what differs from one demo to the next: free addresses
// (host:port) and a directory.
type DemoPlaces struct {
	Dashboard, Broker, Payment, Inventory, Database string
	Data                                            string
}

// Demo is the demo's own configuration, which is part of the program.
func Demo(at DemoPlaces) (Config, Report) {
	vars := map[string]string{"DASHBOARD": at.Dashboard, "BROKER": at.Broker, "PAYMENT": at.Payment, "INVENTORY": at.Inventory, "DATABASE": at.Database, "DATA": at.Data}
	return Parse("demo.yaml", demo, func(name string) (string, bool) {
		value, is := vars[name]
		return value, is
	})
}
