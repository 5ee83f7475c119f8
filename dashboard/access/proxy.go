package access

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

const maxName = 64 // characters of a person's name

// parsePrefix reads an address, or a range such as 172.16.0.0/12.
func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), err
}

// peer is who holds the connection.
func peer(req *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

func (g *Guard) trusted(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(g.from, func(p netip.Prefix) bool { return p.Contains(a) })
}

// proxied is the person that a trusted proxy names. A header that is there twice
// says nothing: one of the two may be the client's own.
func (g *Guard) proxied(req *http.Request) (Person, bool) {
	proxy := g.config.Proxy
	if proxy.Header == "" || !g.trusted(peer(req)) {
		return Person{}, false
	}
	names := req.Header.Values(proxy.Header)
	if len(names) != 1 {
		return Person{}, false
	}
	name := Name(names[0])
	if name == "" {
		return Person{}, false
	}
	p := Person{Name: name, Role: Viewer}
	if proxy.Operators == "*" || proxy.Operators != "" && slices.Contains(groups(req.Header.Values(proxy.GroupsHeader)), proxy.Operators) {
		p.Role = Operator
	}
	return p, true
}

// groups are the names in a header: separated by commas, as Authelia and
// oauth2-proxy do, or by | as authentik does. More than one header says nothing.
func groups(headers []string) []string {
	if len(headers) != 1 {
		return nil
	}
	all := strings.FieldsFunc(headers[0], func(r rune) bool { return r == ',' || r == '|' || r == ';' })
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// Name is a person's name as it may stand on the log and on the page: letters,
// digits and what names and addresses of mail are written with.
func Name(s string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-@+ ", r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(kept); len(r) > maxName {
		kept = string(r[:maxName])
	}
	return strings.TrimSpace(kept)
}

// Address is who sends req: through a trusted proxy the last address of
// X-Forwarded-For that is not a trusted proxy's itself.
func (g *Guard) Address(req *http.Request) netip.Addr {
	at := peer(req)
	if !g.trusted(at) {
		return at
	}
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if at = a.Unmap().WithZone(""); !g.trusted(at) {
			break
		}
	}
	return at
}

// Secure says whether the browser speaks TLS: with us, or with a trusted proxy.
func (g *Guard) Secure(req *http.Request) bool {
	return req.TLS != nil || g.trusted(peer(req)) && strings.EqualFold(req.Header.Get("X-Forwarded-Proto"), "https")
}
