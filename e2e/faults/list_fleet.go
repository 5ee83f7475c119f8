//go:build e2e

package faults

import (
	"fmt"
	"time"
)

// many are that many containers. What is checked at its own address must not end: the
// addresses of containers that end together are handed out anew when they are started.
func many(n int, checked URL) (list []Container) {
	for i := range n {
		c := Container{URL: checked}
		if i > 0 {
			c.Role = fmt.Sprint(i)
		}
		list = append(list, c)
	}
	return list
}

// withImage are containers of that image.
func withImage(name string, list []Container) []Container {
	for i := range list {
		list[i].Image = name
	}
	return list
}

// notForFleets: no peer of ours says anything about these.
var notForFleets = map[string]string{
	autoheal: "it is about one host's all", poc: "it is about one host's all", unlessStopped: "it is about one host's all", always: "it is about one host's all",
}

// fleet are faults of a whole host. Each runs alone.
var fleet = []Scenario{
	{Name: "blind", Row: "everything red at once", Group: "blind", Containers: many(30, Own), NotFor: notForFleets, Inject: cut(12 * time.Second),
		Want: Want{End: []End{Quiet, Recovered}, Within: 20 * time.Second, Stay: 40 * time.Second, Check: blindIncident}, Harmful: anything},
	{Name: "few-blind", Row: "everything red at once", Group: "few-blind", Few: true, Containers: withImage(checked.Name, many(3, Own)), NotFor: notForFleets, Inject: cut(25 * time.Second),
		Want: Want{End: []End{Quiet, Recovered}, Within: 45 * time.Second, Stay: 40 * time.Second, Check: blindIncident}, Harmful: anything},
	{Name: "five-killed-at-once", Row: "two failures, no relation", Group: "five", Containers: many(5, Published), NotFor: notForFleets, Inject: does("kill", "{}", "{1}", "{2}", "{3}", "{4}"),
		Want: Want{Actions: permuted("start", "1:start", "2:start", "3:start", "4:start"), Answers: []string{"", "1", "2", "3", "4"}, Within: 90 * time.Second}},
	{Name: "engine-restarted", Row: "engine restarted", Group: "engine-restarted", Containers: chain("api"), Prepare: network, NotFor: notForFleets, Inject: engineRestarts,
		Want: Want{Actions: []string{"start api:start"}, Answers: []string{"", "api"}, Within: 2 * time.Minute, Stay: 15 * time.Second}, Harmful: []string{"restart", "api:restart"}},
	{Name: "engine-killed", Row: "engine unreachable", Group: "engine-killed", Containers: many(2, Published), NotFor: notForFleets, Inject: engineKilled,
		Want: Want{Actions: []string{"start 1:start", "1:start start", ""}, End: []End{Healed, Recovered, Quiet}, Answers: []string{"", "1"}, Within: 2 * time.Minute, Stay: 20 * time.Second}, Harmful: []string{"restart", "1:restart"}},
}
