package access

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"logstream/internal/raced"
)

var (
	noon = time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	hash = hashOf("correct horse", minCost)
	bobs = hashOf("battery", minCost)
)

func hashOf(password string, cost int) string {
	h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		panic(err)
	}
	return string(h)
}

// everything has each way to be known.
func everything() Config {
	return Config{
		Token: "the operators token",
		Tokens: []Token{
			{Name: "homepage", Token: "0123456789abcdef", Role: Viewer},
			{Name: "ci", Token: "fedcba9876543210", Role: Operator, Expires: "2027-01-01T13:00:00Z"},
			{Name: "old", Token: "an-expired-token", Role: Operator, Expires: "2027-01-01"},
		},
		Users: []User{{Name: "ada", Password: hash, Role: Operator}, {Name: "bob", Password: bobs, Role: Viewer}},
		Proxy: Proxy{From: []string{"10.0.0.0/8", "::1", "192.168.7.7"}, Header: "Remote-User", GroupsHeader: GroupsHeader, Operators: "admins"},
	}
}

func request(peer string, headers ...string) *http.Request {
	req := httptest.NewRequest("GET", "/", nil)
	req.RemoteAddr = peer
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}

func TestWho(t *testing.T) {
	g := New(everything(), []byte("secret"))
	encoded := base64.URLEncoding.EncodeToString([]byte("0123456789abcdef"))
	const near, far = "10.1.2.3:1", "203.0.113.9:1"
	for _, tt := range []struct {
		name    string
		req     *http.Request
		person  string
		role    Role
		refused Refusal
	}{
		{"nothing", request(far), "", "", Missing},
		{"dashboard.token", request(far, "Authorization", "Bearer the operators token"), "", Operator, Admitted},
		{"in lower case", request(far, "Authorization", "bearer the operators token"), "", Operator, Admitted},
		{"a prefix of it", request(far, "Authorization", "Bearer the operators toke"), "", "", Wrong},
		{"longer", request(far, "Authorization", "Bearer the operators tokens"), "", "", Wrong},
		{"empty", request(far, "Authorization", "Bearer "), "", "", Wrong},
		{"another scheme", request(far, "Authorization", "Basic the operators token"), "", "", Missing},
		{"a viewer's", request(far, "Authorization", "Bearer 0123456789abcdef"), "homepage", Viewer, Admitted},
		{"one that ends in an hour", request(far, "Authorization", "Bearer fedcba9876543210"), "ci", Operator, Admitted},
		{"one that has ended", request(far, "Authorization", "Bearer an-expired-token"), "", "", Expired},
		{"as a subprotocol", request(far, "Sec-WebSocket-Protocol", "logstream, token."+encoded), "homepage", Viewer, Admitted},
		{"as a subprotocol in the clear", request(far, "Sec-WebSocket-Protocol", "logstream, token.0123456789abcdef"), "", "", Wrong},
		{"another subprotocol", request(far, "Sec-WebSocket-Protocol", "logstream"), "", "", Missing},

		{"the proxy", request(near, "Remote-User", "ada"), "ada", Viewer, Admitted},
		{"the proxy by IPv6", request("[::1]:9", "Remote-User", "ada"), "ada", Viewer, Admitted},
		{"the proxy by IPv4 in IPv6", request("[::ffff:10.1.2.3]:9", "Remote-User", "ada"), "ada", Viewer, Admitted},
		{"an operator by the proxy", request(near, "Remote-User", "ada", "Remote-Groups", "users, admins"), "ada", Operator, Admitted},
		{"as authentik has groups", request(near, "Remote-User", "ada", "Remote-Groups", "users|admins"), "ada", Operator, Admitted},
		{"a group that only looks so", request(near, "Remote-User", "ada", "Remote-Groups", "admins2,xadmins"), "ada", Viewer, Admitted},
		{"groups twice", request(near, "Remote-User", "ada", "Remote-Groups", "users", "Remote-Groups", "admins"), "ada", Viewer, Admitted},
		{"a forged header", request(far, "Remote-User", "ada", "Remote-Groups", "admins"), "", "", Missing},
		{"a forged header and address", request(far, "Remote-User", "ada", "X-Forwarded-For", "10.1.2.3"), "", "", Missing},
		{"the header twice", request(near, "Remote-User", "ada", "Remote-User", "eve"), "", "", Missing},
		{"an empty header", request(near, "Remote-User", ""), "", "", Missing},
		{"a name of nothing", request(near, "Remote-User", "\x00\n<>"), "", "", Missing},
		{"a name with markup", request(near, "Remote-User", "a<b>d\na"), "abda", Viewer, Admitted},
		{"no address", request("@", "Remote-User", "ada"), "", "", Missing},

		{"a wrong token beside the proxy's header", request(near, "Remote-User", "ada", "Authorization", "Bearer guess"), "", "", Wrong},
		{"a forged cookie", request(far, "Cookie", "logstream=x.y"), "", "", Ended},
		{"a long cookie", request(far, "Cookie", "logstream="+strings.Repeat("x", 4000)), "", "", Ended},
	} {
		p, refused := g.Who(tt.req, noon)
		if p.Name != tt.person || p.Role != tt.role || refused != tt.refused {
			t.Errorf("%s: %+v, refusal %d; want %q as %q, refusal %d", tt.name, p, refused, tt.person, tt.role, tt.refused)
		}
	}
	if p, refused := g.Who(request(far, "Authorization", "Bearer fedcba9876543210"), noon.Add(time.Hour)); refused != Expired {
		t.Errorf("at its end the token is %+v, %d", p, refused)
	}
	if p, _ := New(Config{}, nil).Who(request(far), noon); p.Role != Operator {
		t.Errorf("without any credential: %+v", p)
	}
	if p, refused := New(Config{Token: "x", Proxy: Proxy{From: []string{"10.0.0.0/8"}}}, nil).Who(request(near, "Remote-User", "ada"), noon); refused != Missing {
		t.Errorf("a proxy without a header names %+v", p)
	}
	star := everything()
	star.Proxy.Operators = "*"
	if p, _ := New(star, nil).Who(request(near, "Remote-User", "ada"), noon); p.Role != Operator {
		t.Errorf("with operators \"*\": %+v", p)
	}
}

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		has, needs Role
		may        bool
	}{
		{Operator, Operator, true}, {Operator, Viewer, true}, {Operator, Anyone, true},
		{Proposer, Operator, false}, {Proposer, Proposer, true}, {Proposer, Viewer, true}, {Viewer, Proposer, false}, {Operator, Proposer, true},
		{Viewer, Operator, false}, {Viewer, Viewer, true}, {Viewer, Anyone, true},
		{Anyone, Operator, false}, {Anyone, Viewer, false}, {Anyone, Anyone, true},
		{"admin", Operator, false}, {"admin", Viewer, false},
	} {
		if got := tt.has.May(tt.needs); got != tt.may {
			t.Errorf("%q may what needs %q: %v", tt.has, tt.needs, got)
		}
	}
}

func TestLoginAndSession(t *testing.T) {
	// The cost is not what is tested here: at the least that a configuration may
	// have, each comparison takes two seconds under the race detector.
	cheapest := []User{{Name: "ada", Password: hashOf("correct horse", bcrypt.MinCost), Role: Operator}, {Name: "bob", Password: hashOf("battery", bcrypt.MinCost), Role: Viewer}}
	everything := func() Config {
		c := everything()
		c.Users = slices.Clone(cheapest)
		return c
	}
	c := everything()
	g := New(c, []byte("secret"))
	for _, tt := range []struct {
		name, password string
		is             bool
	}{
		{"ada", "correct horse", true}, {"bob", "battery", true}, {"ada", "battery", false}, {"ada", "", false}, {"ada", "correct hors", false},
		{"eve", "correct horse", false}, // the password that an unknown name is compared with
		{"", "correct horse", false}, {"Ada", "correct horse", false}, {"ada", strings.Repeat("x", MaxPassword+1), false},
	} {
		if _, _, is := g.Login(tt.name, tt.password, noon); is != tt.is {
			t.Errorf("login of %q with %q: %v", tt.name, tt.password, is)
		}
	}
	if _, _, is := New(Config{Token: "x"}, nil).Login("ada", "correct horse", noon); is {
		t.Error("a login without any user")
	}
	session, end, _ := g.Login("ada", "correct horse", noon)
	with := func(g *Guard, value string, at time.Time) (Person, Refusal) {
		return g.Who(request("203.0.113.9:1", "Cookie", "logstream="+value), at)
	}
	if p, refused := with(g, session, noon); refused != Admitted || p.Name != "ada" || p.Role != Operator || !p.Signed || !p.Until.Equal(end) {
		t.Fatalf("%+v, %d", p, refused)
	}
	if p, _ := with(New(c, []byte("secret")), session, noon); p.Name != "ada" {
		t.Error("the session ends with a restart")
	}
	ends := func(name string, g *Guard, value string, at time.Time) {
		t.Helper()
		if p, refused := with(g, value, at); refused != Ended {
			t.Errorf("%s: %+v, %d", name, p, refused)
		}
	}
	ends("after its end", g, session, end)
	ends("with another secret", New(c, []byte("other")), session, noon)
	changed, gone, less := everything(), everything(), everything()
	changed.Users[0].Password = changed.Users[1].Password
	ends("after the password was changed", New(changed, []byte("secret")), session, noon)
	gone.Users = gone.Users[1:]
	ends("of a user who was removed", New(gone, []byte("secret")), session, noon)
	less.Users[0].Role = Viewer
	if p, _ := with(New(less, []byte("secret")), session, noon); p.Role != Viewer {
		t.Errorf("after the role was changed: %+v", p)
	}
	for i := range session { // any byte of it
		b := []byte(session)
		b[i] ^= 1
		if p, refused := with(g, string(b), noon); refused == Admitted && i != len(session)-1 { // the last one has bits that stand for nothing
			t.Fatalf("altered at byte %d: %+v", i, p)
		}
	}
	byToken, end, is := g.LoginToken("fedcba9876543210", noon)
	if p, refused := with(g, byToken, noon); !is || refused != Admitted || p.Name != "ci" || !end.Equal(noon.Add(time.Hour)) {
		t.Errorf("a session by a token: %+v, %d, until %s", p, refused, end)
	}
	ends("by a token that has expired", g, byToken, noon.Add(time.Hour))
	for _, wrong := range []string{"", "guess", "an-expired-token"} {
		if _, _, is := g.LoginToken(wrong, noon); is {
			t.Errorf("a login by the token %q", wrong)
		}
	}
}

// TestAnUnknownNameTakesAsLong: else names could be found out. What takes the time
// is the comparison, and its cost.
func TestAnUnknownNameTakesAsLong(t *testing.T) {
	defer func(was func(hash, password []byte) error) { compare = was }(compare)
	var costs []int
	compare = func(hash, password []byte) error {
		cost, err := bcrypt.Cost(hash)
		costs = append(costs, cost)
		return errors.Join(err, bcrypt.ErrMismatchedHashAndPassword)
	}
	g := New(everything(), nil)
	for _, name := range []string{"ada", "bob", "eve", ""} {
		g.Login(name, "guess", noon)
	}
	if !slices.Equal(costs, []int{minCost, minCost, minCost, minCost}) {
		t.Errorf("compared at costs %v", costs)
	}
}

func TestCookie(t *testing.T) {
	tls := func() *http.Request { return httptest.NewRequest("GET", "https://x/", nil) }
	for _, tt := range []struct {
		base, name, path string
		req              *http.Request
		secure           bool
	}{
		{"", "logstream", "/", request("203.0.113.9:1"), false},
		{"", "__Host-logstream", "/", tls(), true},
		{"/ls", "__Secure-logstream", "/ls/", tls(), true},
		{"", "__Host-logstream", "/", request("10.0.0.1:1", "X-Forwarded-Proto", "https"), true},
		{"", "logstream", "/", request("203.0.113.9:1", "X-Forwarded-Proto", "https"), false}, // by another address
	} {
		c := everything()
		c.BasePath = tt.base
		g := New(c, []byte("secret"))
		cookie := g.Cookie(tt.req, "x", noon)
		if cookie.Name != tt.name || cookie.Path != tt.path || cookie.Secure != tt.secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Domain != "" {
			t.Errorf("%s", cookie)
		}
		if gone := g.Cookie(tt.req, "", noon); gone.MaxAge >= 0 || gone.Name != tt.name || gone.Path != tt.path {
			t.Errorf("removed by %s", gone)
		}
	}
}

func TestAddress(t *testing.T) {
	g := New(everything(), nil)
	for want, req := range map[string]*http.Request{
		"203.0.113.9":  request("203.0.113.9:1", "X-Forwarded-For", "1.2.3.4"),
		"1.2.3.4":      request("10.0.0.1:1", "X-Forwarded-For", "9.9.9.9, 1.2.3.4"),
		"1.2.3.5":      request("10.0.0.1:1", "X-Forwarded-For", "1.2.3.5, 10.0.0.2"),
		"10.0.0.1":     request("10.0.0.1:1"),
		"10.0.0.3":     request("10.0.0.3:1", "X-Forwarded-For", "1.2.3.4, nonsense"),
		"2001:db8::1":  request("[::1]:1", "X-Forwarded-For", "1.2.3.4", "X-Forwarded-For", "2001:db8::1"),
		"203.0.113.77": request("[::ffff:203.0.113.77]:1"),
	} {
		if got := g.Address(req).String(); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	if all := everything().Problems(); len(all) > 0 {
		t.Errorf("%+v", all)
	}
	for want, change := range map[string]func(*Config){
		"users[0].name":       func(c *Config) { c.Users[0].Name = "a\nb" },
		"users[1].name":       func(c *Config) { c.Users[1].Name = "ada" },
		"users[0].role":       func(c *Config) { c.Users[0].Role = "admin" },
		"users[1].role":       func(c *Config) { c.Users[1].Role = "" },
		"users[0].password":   func(c *Config) { c.Users[0].Password = "correct horse" },
		"users[1].password":   func(c *Config) { c.Users[1].Password = "" },
		"tokens[0].token":     func(c *Config) { c.Tokens[0].Token = "short" },
		"tokens[1].token":     func(c *Config) { c.Tokens[1].Token = c.Tokens[0].Token },
		"tokens[0].name":      func(c *Config) { c.Tokens[0].Name = "ada" },
		"tokens[0].role":      func(c *Config) { c.Tokens[0].Role = "" },
		"tokens[2].expires":   func(c *Config) { c.Tokens[2].Expires = "soon" },
		"token":               func(c *Config) { c.Token = " x" },
		"proxy.from":          func(c *Config) { c.Proxy.From = []string{"0.0.0.0/0"} },
		"proxy.header":        func(c *Config) { c.Proxy.Header = "Authorization" },
		"proxy.groups_header": func(c *Config) { c.Proxy.GroupsHeader = "a b" },
	} {
		c := everything()
		change(&c)
		all := c.Problems()
		if len(all) != 1 || all[0].Key != want || all[0].Message == "" || strings.Contains(all[0].Value, "horse") {
			t.Errorf("%s: %+v", want, all)
		}
	}
	for from, wrong := range map[string]bool{"0.0.0.0/0": true, "0.0.0.0/1": true, "128.0.0.0/7": true, "10.0.0.0/8": false, "172.18.0.5": false,
		"::/0": true, "::/1": true, "fc00::/7": true, "fd00::/16": false, "::1": false,
		"::ffff:0.0.0.0/96": true, "::ffff:10.0.0.0/104": true, "::ffff:10.0.0.1": false} {
		c := everything()
		c.Proxy.From = []string{from}
		if all := c.Problems(); (len(all) > 0) != wrong || wrong && (all[0].Key != "proxy.from" || all[0].Value != from) {
			t.Errorf("from %s: %+v", from, all)
		}
	}
	limit := fmt.Sprintf("(IPv4: /%d or narrower, IPv6: /%d or narrower)", widest(netip.IPv4Unspecified()), widest(netip.IPv6Unspecified()))
	if words, err := os.ReadFile("../../config.yaml"); err != nil || !strings.Contains(string(words), limit) {
		t.Errorf("config.yaml does not say %q: %v", limit, err)
	}
	same := everything()
	same.Proxy.Header, same.Proxy.GroupsHeader = "Remote-User", "remote-user"
	if all := same.Problems(); len(all) != 1 || all[0].Key != "proxy.groups_header" {
		t.Errorf("one header for name and groups: %+v", all)
	}
	for _, c := range []Config{{Proxy: Proxy{Header: "Remote-User"}}, {Proxy: Proxy{From: []string{"proxy.lan"}}}, {Proxy: Proxy{From: []string{"10.0.0.1"}, Operators: "x"}}} {
		if all := c.Problems(); len(all) != 1 || c.Guarded() && c.Proxy.Header == "" {
			t.Errorf("%+v: %+v", c, all)
		}
	}
	costly := everything()
	costly.Users[0].Password = strings.Replace(hash, "$10$", "$15$", 1)
	if all := costly.Problems(); len(all) != 1 || !strings.Contains(all[0].Message, "cost 15") {
		t.Errorf("%+v", all)
	}
}

func TestAttempts(t *testing.T) {
	a := NewAttempts()
	from := request("203.0.113.9:1")
	who := New(Config{}, nil).Address(from)
	allowed := 0
	for range 100 {
		if a.Allow(who, noon) {
			allowed++
		}
	}
	if allowed != oneBurst {
		t.Errorf("%d attempts of one address", allowed)
	}
	if !a.Allow(peer(request("203.0.113.10:1")), noon) {
		t.Error("another address may try none")
	}
	if a.Allow(peer(request("203.0.113.9:2")), noon.Add(time.Second)) || !a.Allow(who, noon.Add(3*time.Second)) {
		t.Error("not one attempt each two seconds")
	}
	// One who has many addresses fills no memory.
	later := noon.Add(time.Hour)
	address := peer(request("[2001:db8::1]:1"))
	for i := range maxEach + raced.Share(2*maxEach) {
		b := address.As16()
		b[4], b[5] = byte(i>>8), byte(i)
		a.Allow(netip.AddrFrom16(b), later)
	}
	if len(a.by.by) > maxEach {
		t.Errorf("%d addresses are known", len(a.by.by))
	}
	allowed = 0
	for i := range 100 {
		b := address.As16()
		b[15] = byte(i) // all of one network
		if a.Allow(netip.AddrFrom16(b), later.Add(time.Hour)) {
			allowed++
		}
	}
	if allowed != oneBurst {
		t.Errorf("%d attempts of one network", allowed)
	}
}

func TestNames(t *testing.T) {
	for given, want := range map[string]string{
		"ada": "ada", " Ada Lovelace ": "Ada Lovelace", "ada@example.com": "ada@example.com", "Jürgen": "Jürgen",
		"a\x1b[31m": "a31m", "<script>": "script", "\xff": "", "operator:x": "operatorx", strings.Repeat("x", 100): strings.Repeat("x", maxName),
	} {
		if got := Name(given); got != want {
			t.Errorf("%q is %q", given, got)
		}
	}
	if !slices.Equal(groups([]string{"a, b;c|d e"}), []string{"a", "b", "c", "d e"}) {
		t.Error("groups")
	}
}
