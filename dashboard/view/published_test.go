package view

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"logstream/internal/event"
	"logstream/internal/state"
)

func published(name string, epoch int64, nonce string, status event.Status) event.Service {
	return event.Service{Service: name, Status: status, Definition: &event.Definition{Name: name, Interval: "2s", Timeout: "1s"},
		Origin: event.Origin{Instance: "i-" + nonce, Host: "h", Epoch: epoch, Nonce: nonce}}
}

func removed(name string, epoch int64, nonce string) event.Service {
	r := published(name, epoch, nonce, "")
	r.Definition = nil
	return r
}

// revised is published with a revision; removed where there is no status.
func revised(name string, epoch int64, nonce string, revision int64, status event.Status) event.Service {
	r := published(name, epoch, nonce, status)
	if status == "" {
		r.Definition = nil
	}
	r.Revision = revision
	return r
}

func claimOf(epoch int64, nonce string) event.Claim {
	return event.Claim{Host: "h", Instance: "i-" + nonce, Epoch: epoch, Nonce: nonce}
}

func TestAFlappingServiceIsShownAsSuch(t *testing.T) {
	for _, flapping := range []bool{true, false} {
		r := published("a", 1, "x", event.Up)
		r.Flapping = flapping
		var v Service
		if (&Fleet{Incidents: state.NewIncidents()}).viewPublished(&v, r); v.Flapping != flapping {
			t.Errorf("published as flapping %t it is shown as %t", flapping, v.Flapping)
		}
	}
}

func TestServicesFollowTheNewestClaim(t *testing.T) {
	tests := []struct {
		name    string
		history []any        // claims and records, as they are read
		want    event.Status // of service a; empty: not there
	}{
		{"nothing", nil, ""},
		{"before any claim", []any{published("a", 1, "x", event.Up)}, event.Up},
		{"under the claim", []any{claimOf(1, "x"), published("a", 1, "x", event.Up)}, event.Up},
		{"the newest wins", []any{claimOf(1, "x"), published("a", 1, "x", event.Up), published("a", 1, "x", event.Down)}, event.Down},
		{"a zombie is ignored", []any{claimOf(1, "x"), claimOf(2, "y"), published("a", 2, "y", event.Up), published("a", 1, "x", event.Down)}, event.Up},
		{"a claim alone empties nothing", []any{claimOf(1, "x"), published("a", 1, "x", event.Down), claimOf(2, "y")}, event.Down},
		{"nor does it at a restart, which reads claims first", []any{claimOf(1, "x"), claimOf(2, "y"), published("a", 1, "x", event.Down)}, event.Down},
		{"who lost the claim is ignored", []any{claimOf(1, "x"), claimOf(1, "z"), published("a", 1, "z", event.Down)}, ""},
		{"who lost it, read before the claim", []any{published("a", 1, "z", event.Down), claimOf(1, "x")}, ""},
		{"a record before its claim waits for it", []any{claimOf(1, "x"), published("a", 1, "x", event.Up), published("a", 2, "y", event.Down)}, event.Up},
		{"and counts with it", []any{claimOf(1, "x"), published("a", 1, "x", event.Up), published("a", 2, "y", event.Down), claimOf(2, "y")}, event.Down},
		{"but not with another's", []any{claimOf(1, "x"), published("a", 1, "x", event.Up), published("a", 2, "z", event.Down), claimOf(2, "y")}, event.Up},
		{"an old one again", []any{claimOf(1, "x"), revised("a", 1, "x", 1, event.Down), revised("a", 1, "x", 2, event.Up), revised("a", 1, "x", 1, event.Down)}, event.Up},
		{"and then a new one", []any{claimOf(1, "x"), revised("a", 1, "x", 2, event.Up), revised("a", 1, "x", 1, event.Down), revised("a", 1, "x", 3, event.Degraded)}, event.Degraded},
		{"an old one again, after a claim", []any{claimOf(1, "x"), claimOf(2, "y"), revised("a", 1, "x", 1, event.Down), revised("a", 1, "x", 2, event.Up), revised("a", 1, "x", 1, event.Down)}, event.Up},
		{"a new claim counts anew", []any{claimOf(1, "x"), revised("a", 1, "x", 9, event.Up), claimOf(2, "y"), revised("a", 2, "y", 1, event.Down)}, event.Down},
		{"an old one again, before its claim", []any{claimOf(1, "x"), revised("a", 2, "y", 1, event.Down), revised("a", 2, "y", 2, event.Up), revised("a", 2, "y", 1, event.Down), claimOf(2, "y")}, event.Up},
		{"removed, and an old one again", []any{claimOf(1, "x"), revised("a", 1, "x", 1, event.Up), revised("a", 1, "x", 2, ""), revised("a", 1, "x", 1, event.Up)}, ""},
		{"removed", []any{claimOf(1, "x"), published("a", 1, "x", event.Up), removed("a", 1, "x")}, ""},
		{"removed, and a zombie's word", []any{claimOf(2, "y"), removed("a", 2, "y"), published("a", 1, "x", event.Up)}, ""},
		{"removed and back", []any{claimOf(1, "x"), removed("a", 1, "x"), published("a", 1, "x", event.Up)}, event.Up},
		{"epochs began anew with the incidents' log", []any{claimOf(1, "n"), published("a", 7, "old", event.Down), published("a", 1, "n", event.Up)}, event.Up},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var claims state.Claims
			f := NewPublished(&claims)
			for _, step := range tt.history {
				switch step := step.(type) {
				case event.Claim:
					if claims.Apply(step) == state.Taken {
						f.Claimed(step.Host)
					}
				case event.Service:
					f.Apply(step)
				}
			}
			got, is := f.Get(Key{"h", "a"})
			if is != (tt.want != "") || is && got.Status != tt.want {
				t.Errorf("a is %q, %v; want %q", got.Status, is, tt.want)
			}
			if keys := f.Keys(); len(keys) == 1 != is {
				t.Errorf("keys = %v", keys)
			}
		})
	}
}

// A live reader, for whom the two topics interleave as it happens, and a
// restarted one, who reads the claims first, end with the same.
func TestServicesAreTheSameAfterARestart(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var live, restarted state.Claims
		liveFold, restartedFold := NewPublished(&live), NewPublished(&restarted)
		var claims []event.Claim
		var records []event.Service
		epoch := int64(0)
		for range 40 {
			if epoch == 0 || rng.IntN(8) == 0 {
				epoch++
				c := claimOf(epoch, string(rune('a'+epoch)))
				claims = append(claims, c)
				live.Apply(c)
				liveFold.Claimed(c.Host)
				continue
			}
			status := []event.Status{event.Up, event.Down}[rng.IntN(2)]
			r := published(string(rune('p'+rng.IntN(3))), epoch, string(rune('a'+epoch)), status)
			if rng.IntN(6) == 0 {
				r.Definition = nil
			}
			records = append(records, r)
			liveFold.Apply(r)
		}
		for _, c := range claims {
			restarted.Apply(c)
			restartedFold.Claimed(c.Host)
		}
		for _, r := range records {
			restartedFold.Apply(r)
		}
		if !reflect.DeepEqual(liveFold.newest, restartedFold.newest) {
			t.Fatalf("seed %d:\nlive      %v\nrestarted %v", seed, liveFold.newest, restartedFold.newest)
		}
	}
}

func TestCommandsFold(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	request := func(id, command string, args event.CommandArgs) event.Command {
		return event.Command{ID: id, Time: at, Command: command, Service: "*", Args: args, Origin: event.Origin{Instance: "asker"}}
	}
	done := func(c event.Command, ok bool) event.Command {
		c.Result = &event.CommandResult{OK: ok}
		c.Origin = event.Origin{Instance: "owner", Host: "h"}
		return c
	}
	f := NewCommands()
	hold := request("1", event.CommandHold, event.CommandArgs{For: "30m", Reason: "release"})
	if !f.Apply(hold) || f.Apply(hold) {
		t.Error("a request counts once")
	}
	if _, held := f.Held("h", at); held || !f.Awaited(event.CommandHold, at) || f.Awaited(event.CommandHold, at.Add(time.Hour)) {
		t.Error("asked for is not held, and awaited for a minute")
	}
	other := hold
	other.Args.Reason = "forged"
	if !f.Apply(done(other, true)) || f.Apply(done(hold, false)) {
		t.Error("a result counts once")
	}
	h, held := f.Held("h", at)
	if !held || h.Reason != "release" || !h.Until.Equal(at.Add(30*time.Minute)) || f.Awaited(event.CommandHold, at) {
		t.Errorf("held = %+v, %v: what was asked for counts, not what the result repeats", h, held)
	}
	if _, held := f.Held("elsewhere", at); held {
		t.Error("another host is held")
	}
	if _, held := f.Held("h", at.Add(time.Hour)); held {
		t.Error("held after its time")
	}
	f.Apply(done(request("2", event.CommandRelease, event.CommandArgs{}), false))
	if _, held := f.Held("h", at); !held {
		t.Error("released by a command that failed")
	}
	f.Apply(done(request("3", event.CommandRelease, event.CommandArgs{}), true)) // its request was not kept
	if _, held := f.Held("h", at); held {
		t.Error("held after its release")
	}
	theirs := done(hold, true)
	theirs.Host = "elsewhere"
	if !f.Apply(theirs) || f.Apply(theirs) {
		t.Error("the result of another host counts once")
	}
	if _, held := f.Held("elsewhere", at); !held {
		t.Error("a host that executed the hold second is not held")
	}
	if f.Apply(done(hold, true)) {
		t.Error("a repeated result changed something")
	}
	if _, held := f.Held("h", at); held {
		t.Error("a repeated result holds again what was released")
	}
	if c, is := f.Get("1"); !is || c.Result == nil || !c.Result.OK || c.Instance != "asker" {
		t.Errorf("command = %+v", c)
	}
	for i := range maxCommands {
		f.Apply(request(string(rune(1000+i)), event.CommandHeal, event.CommandArgs{}))
	}
	if _, is := f.Get("1"); is || len(f.byID) != maxCommands || len(f.order) != maxCommands {
		t.Errorf("%d commands are kept", len(f.byID))
	}
}
