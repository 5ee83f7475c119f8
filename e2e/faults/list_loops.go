//go:build e2e

package faults

import "time"

// loops are containers that cannot run as they are.
var loops = []Scenario{
	{Name: "crash-loop", Row: "crash loop, bad configuration", Containers: one(), Inject: visits("/exit?code=78&lasting"),
		Want: Want{Actions: []string{"start"}, End: []End{Escalated}, Cause: []string{"exits_at_start"}, Within: 2 * time.Minute, Stay: 20 * time.Second, Check: calledOnce}},
	{Name: "crash-loop-started-by-hand", Row: "crash loop, bad configuration", Containers: one(), NotFor: onlyOurs,
		Inject: then(sendsCommand("POST", "/api/v1/services/{}/silence", `{"for":"10m","reason":"work on it"}`), visits("/exit?code=78&lasting"),
			after(2*time.Second, does("start", "{}")), after(2*time.Second, sendsCommand("DELETE", "/api/v1/services/{}/silence", ""))),
		Want: Want{End: []End{Escalated}, Cause: []string{"exits_at_start"}, Stay: 20 * time.Second, Check: calledOnce}, Harmful: anything},
	{Name: "crash-loop-with-a-policy", Row: "crash loop, bad configuration", Quick: true, Containers: one("--restart", "unless-stopped"), Inject: visits("/exit?code=78&lasting"), NotFor: ownPolicy,
		Want: Want{End: []End{Escalated}, Cause: []string{"crash_loop", "crash_loop_changed"}, Within: 90 * time.Second}, Harmful: anything},
	{Name: "crash-loop-from-the-start", Row: "crash loop, bad configuration", NotFor: ownPolicy,
		Containers: []Container{{Image: exits.Name, Args: []string{"--restart", "unless-stopped"}, Down: true}},
		Want:       Want{End: []End{Escalated}, Cause: []string{"crash_loop", "crash_loop_changed"}, Within: 90 * time.Second}, Harmful: anything},
	{Name: "bad-command", Row: "bad command", Containers: []Container{{Args: []string{"--entrypoint", "/nope"}, Down: true}},
		Want: Want{End: []End{Escalated}, Cause: []string{"bad_command", "start_refused"}}, Harmful: anything},
	{Name: "bad-deployment", Row: "bad deployment", Containers: one(), Inject: deploys(exits.Name),
		Want: Want{Actions: []string{"", "start"}, End: []End{Held, Escalated}, Gate: []string{"approval"}, Cause: []string{"exits_after_update", "exits_at_start"}, Within: 90 * time.Second}, Harmful: []string{"restart", "rollback", "recreate"}},
	{Name: "bad-deployment-rolled-back", Row: "bad deployment", Containers: []Container{{Config: "heal: {actions: [rollback]}"}}, Inject: deploys(exits.Name),
		Want: Want{Actions: []string{"rollback", "start rollback"}, Cause: []string{"exits_after_update", "exits_at_start"}, Within: 2 * time.Minute}, Harmful: []string{"restart"}},
	{Name: "bad-deployment-of-500", Row: "bad deployment", Containers: []Container{{Config: "heal: {actions: [rollback]}"}}, Inject: deploys(serves500.Name),
		Want: Want{Actions: []string{"rollback"}, Cause: []string{"bad_deployment"}, Within: 2 * time.Minute}, Harmful: []string{"restart"}},
	{Name: "bad-deployment-of-a-command", Row: "bad deployment", Containers: one(),
		Inject: func(s *Stage) error {
			return s.replace(func(c *Container) { c.Args = []string{"--entrypoint", "/nope"} })
		},
		Want: Want{End: []End{Held, Escalated}, Gate: []string{"approval"}, Cause: []string{"bad_command", "start_refused"}, Within: 90 * time.Second}, Harmful: anything},
	{Name: "good-deployment", Row: "deployment under way", Containers: one(), Inject: deploys("logstream-webapp-2"),
		Want: Want{End: []End{Recovered}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "slow-deployment", Row: "deployment under way", Containers: one(), Inject: func(s *Stage) error {
		if err := s.docker("rm", "-f", "{}"); err != nil {
			return err
		}
		time.Sleep(4 * time.Second) // such as a pull
		return s.run(s.Containers[0])
	},
		Want: Want{End: []End{Recovered}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "compose-deployment", Row: "deployment under way", Quick: true, Containers: []Container{{Made: true, Config: "timeout: 5s"}},
		Prepare: composed("1"), Inject: composed("2"),
		Want: Want{End: []End{Quiet, Recovered}, Stay: 20 * time.Second}, Harmful: anything},
	{Name: "compose-stop", Row: "stopped", Containers: []Container{{Made: true}, {Role: "second", Made: true}},
		Prepare: composed("1"), Inject: does("compose", "-f", "{dir}/compose.yaml", "stop"), NotFor: onlyOurs,
		Want: Want{End: []End{Held}, Gate: []string{"operator"}, Stay: 15 * time.Second}, Harmful: anything},
	{Name: "compose-stop-that-takes-time", Row: "stopped", Containers: []Container{{Made: true}, {Role: deaf, Made: true}},
		Prepare: composed("1"), Inject: does("compose", "-f", "{dir}/compose.yaml", "stop"), NotFor: onlyOurs,
		Want: Want{End: []End{Held}, Gate: []string{"operator"}, Stay: 25 * time.Second}, Harmful: anything},
}

// deploys replaces the first container by one of another image.
func deploys(image string) func(*Stage) error {
	return func(s *Stage) error { return s.replace(func(c *Container) { c.Image = image }) }
}
