package notify

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"logstream/internal/link"
	"logstream/notify/send"
)

const (
	// linkLasts is how long a link to silence or hold is good.
	linkLasts = 12 * time.Hour
	// linkFor is how long it silences or holds.
	linkFor = time.Hour
)

// links makes the addresses that messages carry.
type links struct {
	public string // the address that people use; empty: there are no links
	host   string
	signer link.Signer
	signs  bool
}

func newLinks(public, host string, key []byte) links {
	l := links{public: strings.TrimSuffix(public, "/"), host: host, signs: len(key) > 0}
	if l.signs {
		l.signer = link.New(key)
	}
	return l
}

// page is the page about a note, or empty.
func (l links) page(n Note) string {
	switch {
	case l.public == "":
		return ""
	case n.Incident != "":
		return l.public + "/incidents/" + url.PathEscape(n.Incident)
	}
	return l.public + "/"
}

// actions are what a person may do about a note: what is most urgent first, since
// some receivers show three buttons.
func (l links) actions(n Note, now time.Time) []send.Action {
	if l.public == "" || !l.signs || n.Incident == "" {
		return nil
	}
	var all []send.Action
	add := func(command, label string, of link.Link) {
		of.ID, of.Command, of.Service, of.Incident, of.Host = link.NewID(), command, n.Service, n.Incident, l.host
		all = append(all, send.Action{Command: command, Label: label, URL: l.public + "/act/" + l.signer.Sign(of)})
	}
	if n.Event == Approval {
		request := strconv.Itoa(n.approval)
		add(link.Approve, "Approve", link.Link{Approval: request, Expires: n.Expires})
		add(link.Deny, "Deny", link.Link{Approval: request, Expires: n.Expires})
	}
	if n.Event == Approval || n.Event == Escalated || n.Event == Opened {
		if !n.Fleet {
			add(link.Silence, "Silence 1h", link.Link{For: linkFor, Expires: now.Add(linkLasts)})
		}
		add(link.Hold, "Hold 1h", link.Link{For: linkFor, Expires: now.Add(linkLasts)})
	}
	return all
}
