package link

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"logstream/internal/event"
)

var (
	key  = []byte("a secret of the bus")
	noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
)

func example() Link {
	return Link{ID: "GHT5KLX2Q7R4VZNB6WCM3DFYAE", Command: Approve, Service: "payment-service", Incident: "01J-abc",
		Host: "local", Approval: "4", For: 30 * time.Minute, Expires: noon.Add(15 * time.Minute)}
}

func TestSignedLinkIsReadBack(t *testing.T) {
	for _, command := range []string{event.CommandApprove, event.CommandDeny, event.CommandSilence, event.CommandHold} {
		want := example()
		want.Command = command
		token := New(key).Sign(want)
		if got, err := New(key).Read(token, noon); err != nil || got != want {
			t.Errorf("%s: read %+v, %v; want %+v", command, got, err, want)
		}
		if url.PathEscape(token) != token {
			t.Errorf("%s: %q is not safe in an address", command, token)
		}
	}
}

func TestLinkExpires(t *testing.T) {
	l := example()
	token := New(key).Sign(l)
	for _, c := range []struct {
		at   time.Time
		want error
	}{{l.Expires.Add(-time.Nanosecond), nil}, {l.Expires, ErrExpired}, {l.Expires.Add(time.Hour), ErrExpired}} {
		if got, err := New(key).Read(token, c.at); !errors.Is(err, c.want) || got != l {
			t.Errorf("at %s: %+v, %v; want %v", c.at, got, err, c.want)
		}
	}
	l.Expires = time.Time{}
	if _, err := New(key).Read(New(key).Sign(l), noon); !errors.Is(err, ErrExpired) {
		t.Errorf("without an expiry: %v; want %v", err, ErrExpired)
	}
}

// Every character of a token matters, its last bits included.
func TestAlteredLinkIsRefused(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=\n/"
	for trim := range 3 { // all lengths of the last group
		l := example()
		l.Service = l.Service[trim:]
		token := New(key).Sign(l)
		for i := range token {
			for _, c := range alphabet {
				altered := token[:i] + string(c) + token[i+1:]
				if altered == token {
					continue
				}
				if got, err := New(key).Read(altered, noon); err == nil || got != (Link{}) {
					t.Fatalf("character %d as %q: %+v, %v", i, c, got, err)
				}
			}
		}
		for _, other := range []string{token + "A", token + "\n", token[1:], token[:len(token)-1], token[:10], "", token + "=", token + token} {
			if _, err := New(key).Read(other, noon); err == nil {
				t.Errorf("%q is read", other)
			}
		}
	}
}

func TestLinkOfAnotherKeyIsAltered(t *testing.T) {
	token := New([]byte("another secret of a bus")).Sign(example())
	if _, err := New(key).Read(token, noon); !errors.Is(err, ErrAltered) {
		t.Errorf("%v; want %v", err, ErrAltered)
	}
}

// The key of links is not the secret itself: what signs records signs no link.
func TestKeyIsDerived(t *testing.T) {
	derived := New(key)
	if string(derived.key) == string(key) || len(derived.key) != 32 {
		t.Fatal("the secret itself is the key")
	}
	if _, err := derived.Read((Signer{key}).Sign(example()), noon); !errors.Is(err, ErrAltered) {
		t.Errorf("signed with the secret itself: %v; want %v", err, ErrAltered)
	}
}

func TestSignedNonsenseIsMalformed(t *testing.T) {
	s := New(key)
	for name, change := range map[string]func(*Link){
		"another command": func(l *Link) { l.Command = event.CommandHeal },
		"no command":      func(l *Link) { l.Command = "" },
		"no id":           func(l *Link) { l.ID = "" },
	} {
		l := example()
		change(&l)
		if _, err := s.Read(s.Sign(l), noon); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v; want %v", name, err, ErrMalformed)
		}
	}
	whole, err := base64.RawURLEncoding.DecodeString(s.Sign(example()))
	if err != nil {
		t.Fatal(err)
	}
	payload := whole[:len(whole)-macSize]
	for n := 1; n < len(payload); n++ {
		cut := payload[:n:n]
		if _, err := s.Read(encoding.EncodeToString(append(cut, s.mac(cut)...)), noon); !errors.Is(err, ErrMalformed) {
			t.Errorf("signed and cut after %d bytes: %v; want %v", n, err, ErrMalformed)
		}
	}
}

func TestLengthIsBounded(t *testing.T) {
	long := strings.Repeat("\U0001F6D2", 128) // the longest name of a service
	l := Link{ID: long, Command: Silence, Service: long, Incident: long, Host: long, Approval: long, For: 1<<63 - 1, Expires: noon}
	token := New(key).Sign(l)
	if len(token) > MaxLength {
		t.Fatalf("%d characters; want at most %d", len(token), MaxLength)
	}
	read, err := New(key).Read(token, noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if !Names(read.Service, long) || Names(read.Service, long[4:]) {
		t.Error("a long name is not compared by its digest")
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", maxField+1)
	read := func(service string) string {
		l := example()
		l.Service = service
		got, err := New(key).Read(New(key).Sign(l), noon)
		if err != nil {
			t.Fatal(err)
		}
		return got.Service
	}
	names := []string{"", "web", "web2", long, long + "x", long[1:], carried(long), carried(carried(long))}
	for i, of := range names {
		for j, name := range names {
			if got := Names(read(of), name); got != (i == j) {
				t.Errorf("a link for %q stands for %q: %v", of, name, got)
			}
		}
	}
}

func TestConfirmationIsOfOneLink(t *testing.T) {
	s := New(key)
	a, b := s.Sign(example()), s.Sign(Link{ID: "b", Command: Hold, Expires: noon})
	for _, c := range []struct {
		token, given string
		want         bool
	}{{a, s.Confirmation(a), true}, {b, s.Confirmation(b), true}, {a, s.Confirmation(b), false}, {a, "", false}, {a, a, false},
		{a, New([]byte("another secret of a bus")).Confirmation(a), false}} {
		if got := s.Confirms(c.token, c.given); got != c.want {
			t.Errorf("%.10s confirmed by %.10q: %v", c.token, c.given, got)
		}
	}
}

func TestIDsDiffer(t *testing.T) {
	if a, b := NewID(), NewID(); a == b || len(a) < 26 {
		t.Errorf("%q, %q", a, b)
	}
}

// FuzzRead holds that only what was signed is read, and in one spelling.
func FuzzRead(f *testing.F) {
	s := New(key)
	f.Add(s.Sign(example()))
	f.Add(s.Sign(Link{}))
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		l, err := s.Read(token, noon)
		switch {
		case err == nil || errors.Is(err, ErrExpired):
			if s.Sign(l) != token {
				t.Errorf("%q is read as %+v, which is signed differently", token, l)
			}
		case l != (Link{}) || !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrAltered):
			t.Errorf("%q: %+v, %v", token, l, err)
		}
	})
}

// FuzzParse holds that signed nonsense is refused, and never panics.
func FuzzParse(f *testing.F) {
	whole, _ := base64.RawURLEncoding.DecodeString(New(key).Sign(example()))
	f.Add(whole[1 : len(whole)-macSize])
	f.Fuzz(func(t *testing.T, payload []byte) {
		if l, is := parse(payload); is && (l.ID == "" || l.For < 0 || l.Expires.Before(time.Unix(0, 0))) {
			t.Errorf("%x is read as %+v", payload, l)
		}
	})
}
