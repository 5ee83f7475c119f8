//go:build e2e

package faults

import "time"

// gates are faults that may not be repaired now, or not without a person.
var gates = []Scenario{
	{Name: "silenced", Row: "gates", Containers: one(), NotFor: onlyOurs, Inject: then(sendsCommand("POST", "/api/v1/services/{}/silence", `{"for":"10m","reason":"work on it"}`), does("kill", "{}")),
		Want: Want{End: []End{Held}, Gate: []string{"silence"}}, Harmful: anything},
	{Name: "in-maintenance", Row: "gates", NotFor: onlyOurs, Containers: []Container{{Config: "maintenance: [{cron: '* * * * *', for: 2h}]"}}, Inject: does("kill", "{}"),
		Want: Want{End: []End{Held}, Gate: []string{"maintenance"}}, Harmful: anything},
	{Name: "observed-alone", Row: "gates", NotFor: onlyOurs, Containers: []Container{{Config: "heal: {mode: observe}"}}, Inject: does("kill", "{}"),
		Want: Want{End: []End{Held}, Gate: []string{"observe"}}, Harmful: anything},
	{Name: "approval-needed", Row: "gates", NotFor: onlyOurs, Containers: []Container{{Config: "heal: {mode: approve}"}}, Inject: does("kill", "{}"),
		Want: Want{End: []End{Held}, Gate: []string{"approval"}}, Harmful: anything},
	{Name: "restart-forbidden", Row: "gates", NotFor: onlyOurs, Containers: []Container{{Config: "heal: {never: [restart]}"}}, Inject: visits("/hang"),
		Want: Want{Actions: []string{"", "kill_start"}, End: []End{Escalated, Healed}}, Harmful: []string{"restart"}},
	{Name: "slow-start", Row: "gates", Containers: []Container{{Args: []string{"-e", "START=10"}, Config: "start_period: 20s"}}, Inject: does("restart", "{}"), NotFor: map[string]string{poc: "it has no such setting"},
		Want: Want{End: []End{Recovered, Quiet}, Stay: 25 * time.Second}, Harmful: anything},
	{Name: "only-others-say-so", Row: "gates", NotFor: onlyOurs, Containers: one(), Inject: foreign,
		Want: Want{End: []End{Held}, Gate: []string{"unconfirmed"}}, Harmful: anything},
	{Name: "another-healer", Row: "gates", Group: "rival", NotFor: onlyOurs, Containers: []Container{{Image: checked.Name, Args: []string{"--label", "autoheal=true"}}}, Prepare: besideAutoheal, Inject: visits("/fail"),
		Want: Want{Actions: []string{"", "restart"}, End: []End{Recovered, Healed}, Within: 90 * time.Second, Stay: 20 * time.Second, Check: notRestartedAgain}},
	{Name: "host-on-hold", Row: "gates", NotFor: onlyOurs, Group: "hold", Containers: one(), Inject: then(sendsCommand("POST", "/api/v1/hold", `{"for":"10m","reason":"work on the host"}`), does("kill", "{}")),
		Want: Want{End: []End{Held}, Gate: []string{"hold"}}, Harmful: anything},
}
