//go:build e2e

package faults

import (
	"errors"
	"slices"
	"time"
)

// chain are a database and services one above the other, each in front of the one
// before it; the first is the database.
func chain(roles ...string) []Container {
	list := []Container{{Args: []string{"--network", "{prefix}-net", "--network-alias", "first"}}}
	below, need := "first", ""
	for _, role := range roles {
		list = append(list, Container{Role: role, Needs: []string{need}, Args: []string{"--network", "{prefix}-net", "--network-alias", role, "-e", "NEEDS=http://" + below + ":8080"}})
		below, need = role, role
	}
	return list
}

// fan are a database and services that all need it.
func fan(roles ...string) []Container {
	list := chain()
	for _, role := range roles {
		list = append(list, Container{Role: role, Needs: []string{""}, Args: []string{"--network", "{prefix}-net", "-e", "NEEDS=http://first:8080"}})
	}
	return list
}

// inTwoNetworks makes a container, and attaches it to the engine's own network as well.
func inTwoNetworks(role string) func(*Stage) error {
	return func(s *Stage) error {
		i := slices.IndexFunc(s.Containers, func(c Container) bool { return c.Role == role })
		return errors.Join(s.run(s.Containers[i]), s.docker("network", "connect", "bridge", s.name(role)))
	}
}

// dependencies are services that need each other. Within a group of its own runs
// what turns many red at once.
var dependencies = []Scenario{
	{Name: "database-stopped", Row: "dependency down", Quick: true, Containers: chain("api"), Prepare: network, Inject: does("stop", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}, Answers: []string{"", "api"}}},
	{Name: "database-killed", Row: "dependency down", Containers: chain("api"), Prepare: network, Inject: does("kill", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"killed"}, Answers: []string{"", "api"}}},
	{Name: "database-paused", Row: "dependency down", Containers: chain("api"), Prepare: network, Inject: does("pause", "{}"),
		Want: Want{Actions: []string{"unpause"}, Cause: []string{"paused"}, Answers: []string{"", "api"}}, Harmful: restarts},
	{Name: "database-hangs", Row: "dependency down", Containers: chain("api"), Prepare: network, Inject: visits("/hang"),
		Want: Want{Actions: []string{"restart"}, Cause: []string{"hang"}, Answers: []string{"", "api"}}},
	{Name: "database-fails-for-good", Row: "dependency down", Containers: chain("api"), Prepare: network, Inject: visits("/fail?lasting"),
		Want: Want{Actions: []string{"restart"}, End: []End{Escalated}, Within: 90 * time.Second, Stay: 20 * time.Second}},
	{Name: "api-fails-by-itself", Row: "dependency down", Containers: chain("api"), Prepare: network, Inject: func(s *Stage) error { return s.visit("api", "/fail") },
		Want: Want{Actions: []string{"api:restart"}, End: []End{Quiet}, Answers: []string{"api"}, Stay: 40 * time.Second}},
	{Name: "chain-of-three", Row: "cascade", Group: "chain", Containers: chain("api", "web"), Prepare: network, Inject: does("stop", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}, Answers: []string{"", "api", "web"}, Stay: 15 * time.Second}},
	{Name: "chain-of-three-whose-root-hangs", Row: "cascade", Group: "chain", Containers: chain("api", "web"), Prepare: network, Inject: after(20*time.Second, visits("/hang")),
		Want: Want{Actions: []string{"restart"}, Cause: []string{"hang"}, Answers: []string{"", "api", "web"}, Stay: 15 * time.Second, Within: 90 * time.Second}},
	{Name: "four-behind-one", Row: "cascade", Group: "fan", Containers: fan("a", "b", "c", "d"), Prepare: network, Inject: does("stop", "{}"),
		Want: Want{Actions: []string{"start"}, Cause: []string{"stopped"}, Answers: []string{"", "a", "b", "c", "d"}, Stay: 15 * time.Second}},
	{Name: "dependency-leaves-their-network", Row: "dependency down", Prepare: then(network, inTwoNetworks("db")), Inject: does("network", "disconnect", "{prefix}-net", "{db}"),
		Containers: []Container{{Needs: []string{"db"}, Args: []string{"--network", "{prefix}-net", "-e", "NEEDS=http://first:8080"}}, {Role: "db", Made: true, Args: []string{"--network", "{prefix}-net", "--network-alias", "first"}}},
		Want:       Want{End: []End{Escalated}, Cause: []string{"dependency_detached"}, Answers: []string{"db"}, Check: calledOnce}, Harmful: anything},
	{Name: "child-in-a-network-namespace", Row: "cascade", Inject: does("kill", "{}"),
		Containers: []Container{{Args: []string{"-p", "127.0.0.1:{child:port}:9090"}}, {Role: "child", Alone: true, Args: []string{"--network", "container:{}", "-e", "ADDR=:9090"}}},
		Want:       Want{Actions: []string{"start child:restart", "start child:start"}, Cause: []string{"killed"}, Answers: []string{"", "child"}, Within: 90 * time.Second, Stay: 15 * time.Second}},
}
