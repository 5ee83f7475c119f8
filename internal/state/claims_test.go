package state

import (
	"testing"

	"logstream/internal/event"
)

func TestClaims(t *testing.T) {
	claim := func(host, instance string, epoch int64, nonce string) event.Claim {
		return event.Claim{Host: host, Instance: instance, Epoch: epoch, Nonce: nonce}
	}
	type step struct {
		claim event.Claim
		want  Verdict
		owner string // the nonce that counts for the claim's host afterwards
	}
	tests := map[string][]step{
		"the first":            {{claim("h", "a", 1, "n1"), Taken, "n1"}},
		"the first, not at 1":  {{claim("h", "a", 9, "n9"), Taken, "n9"}},
		"a higher epoch":       {{claim("h", "a", 1, "n1"), Taken, "n1"}, {claim("h", "b", 2, "n2"), Taken, "n2"}},
		"an epoch jumps":       {{claim("h", "a", 1, "n1"), Taken, "n1"}, {claim("h", "b", 7, "n2"), Taken, "n2"}, {claim("h", "a", 6, "n3"), Ignored, "n2"}},
		"the same epoch":       {{claim("h", "a", 1, "n1"), Taken, "n1"}, {claim("h", "b", 1, "n2"), Ignored, "n1"}},
		"a repeat":             {{claim("h", "a", 1, "n1"), Taken, "n1"}, {claim("h", "a", 1, "n1"), Repeated, "n1"}, {claim("h", "a", 1, "n1"), Repeated, "n1"}},
		"an old one replayed":  {{claim("h", "a", 1, "n1"), Taken, "n1"}, {claim("h", "b", 2, "n2"), Taken, "n2"}, {claim("h", "a", 1, "n1"), Ignored, "n2"}},
		"a lower epoch":        {{claim("h", "a", 5, "n1"), Taken, "n1"}, {claim("h", "b", 4, "n2"), Ignored, "n1"}},
		"the same nonce again": {{claim("h", "a", 1, "n1"), Taken, "n1"}, {claim("h", "a", 2, "n1"), Taken, "n1"}},
		"no nonce":             {{claim("h", "a", 1, ""), Ignored, ""}},
		"no epoch":             {{claim("h", "a", 0, "n1"), Ignored, ""}, {claim("h", "a", -1, "n1"), Ignored, ""}},
		"another host":         {{claim("h", "a", 5, "n1"), Taken, "n1"}, {claim("g", "b", 1, "n2"), Taken, "n2"}, {claim("h", "a", 5, "n1"), Repeated, "n1"}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var claims Claims
			for i, step := range steps {
				if got := claims.Apply(step.claim); got != step.want {
					t.Fatalf("claim %d is %v, want %v", i+1, got, step.want)
				}
				newest, known := claims.Newest(step.claim.Host)
				if known != (step.owner != "") || newest.Nonce != step.owner {
					t.Fatalf("after claim %d the newest is %+v, want the nonce %q", i+1, newest, step.owner)
				}
			}
		})
	}
}

func TestOwns(t *testing.T) {
	var claims Claims
	if claims.Owns(event.Origin{Host: "h"}) {
		t.Error("an origin without a nonce owns a host without a claim")
	}
	claims.Apply(event.Claim{Host: "h", Instance: "a", Epoch: 1, Nonce: "n1"})
	claims.Apply(event.Claim{Host: "h", Instance: "b", Epoch: 2, Nonce: "n2"})
	tests := map[string]struct {
		origin event.Origin
		want   bool
	}{
		"the owner":             {event.Origin{Instance: "b", Host: "h", Epoch: 2, Nonce: "n2"}, true},
		"its predecessor":       {event.Origin{Instance: "a", Host: "h", Epoch: 1, Nonce: "n1"}, false},
		"no nonce":              {event.Origin{Host: "h"}, false},
		"the owner, other host": {event.Origin{Instance: "b", Host: "g", Epoch: 2, Nonce: "n2"}, false},
		"no host":               {event.Origin{Nonce: "n2"}, false},
	}
	for name, test := range tests {
		if claims.Owns(test.origin) != test.want {
			t.Errorf("%s: owns is %v, want %v", name, !test.want, test.want)
		}
	}
}

// TestARepeatMayNameTheEngine: an owner learns later on which engine it acts; a
// repeat without it takes nothing back.
func TestARepeatMayNameTheEngine(t *testing.T) {
	var claims Claims
	claim := event.Claim{Host: "h", Instance: "a", Epoch: 1, Nonce: "n1"}
	claims.Apply(claim)
	for _, engine := range []string{"E1", "", "E2", ""} {
		claim.Engine = engine
		if got := claims.Apply(claim); got != Repeated {
			t.Errorf("with %q it is %v", engine, got)
		}
	}
	if newest, _ := claims.Newest("h"); newest.Engine != "E2" {
		t.Errorf("the engine is %q", newest.Engine)
	}
}
