// Package link makes and reads the signed links of notifications: each permits
// one command, once, until it expires. A link names everything that it is
// for, so that it can be used for nothing else, and holds no secret. No I/O.
//
// What holds of it:
//
//   - A token that Read accepts was signed with the same key. It is compared in
//     constant time, and no other spelling of it is accepted.
//   - Whether a link was used is not known here. Who uses one records its ID.
//   - A token has at most MaxLength characters, all of them safe in an address.
package link

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// MaxValid is how long a link may be valid: uses are remembered longer.
const MaxValid = 6 * 24 * time.Hour

// MaxLength is that of a token, in characters.
const MaxLength = 464

// The commands that a link may permit: those of package event by the same
// names. Read accepts no other.
const (
	Approve = "approve"
	Deny    = "deny"
	Silence = "silence"
	Hold    = "hold"
)

// Link is what one link permits.
type Link struct {
	ID      string // random; single use is by it. NewID makes one
	Command string // approve, deny, silence or hold

	Service, Incident, Host string

	// Approval is the seq of the approval_requested event that approve and deny
	// answer. A newer request has other pins and is asked again.
	Approval string

	For     time.Duration // of silence and hold, in whole seconds
	Expires time.Time     // in whole seconds
}

// NewID is the ID of a new link.
func NewID() string { return rand.Text() }

// What Read finds wrong with a token.
var (
	ErrMalformed = errors.New("malformed link") // incomplete, or no link at all
	ErrAltered   = errors.New("altered link")   // not signed with this key
	ErrExpired   = errors.New("expired link")   // the Link is returned as well
)

const (
	version  = 1
	macSize  = 16 // bytes of HMAC-SHA256: 128 bits
	maxField = 60 // bytes of a field; what is longer is carried as its digest
	hashed   = "sha256:"
	purpose  = "logstream: links of notifications, v1"
)

// encoding refuses bits that it would not write, so that a link has one spelling.
var encoding = base64.RawURLEncoding.Strict()

// Signer signs and reads links with one key.
type Signer struct{ key []byte }

// New is a Signer. Its key is derived from key for this purpose alone: a
// signature of a record is never that of a link.
func New(key []byte) Signer {
	derived, err := hkdf.Key(sha256.New, key, nil, purpose, sha256.Size)
	if err != nil {
		panic("link: derive key: " + err.Error()) // only for a length that SHA-256 can't give
	}
	return Signer{derived}
}

// Sign is the token of l, for an address. A field of more than 60 bytes is
// carried as its digest: compare with Names.
func (s Signer) Sign(l Link) string {
	payload := []byte{version}
	for _, field := range l.fields() {
		value := carried(*field)
		payload = append(payload, byte(len(value)))
		payload = append(payload, value...)
	}
	payload = binary.AppendUvarint(payload, uint64(max(0, l.For/time.Second)))
	payload = binary.AppendUvarint(payload, uint64(max(0, l.Expires.Unix())))
	return encoding.EncodeToString(append(payload, s.mac(payload)...))
}

// Read is the Link that token was made of, if it was signed with the same key
// and is not expired at now. Any error is one of ErrMalformed, ErrAltered and
// ErrExpired.
func (s Signer) Read(token string, now time.Time) (Link, error) {
	if len(token) > MaxLength || strings.ContainsAny(token, "\r\n") { // which base64 skips
		return Link{}, ErrMalformed
	}
	signed, err := encoding.DecodeString(token)
	if err != nil || len(signed) <= macSize || signed[0] != version {
		return Link{}, ErrMalformed
	}
	payload, mac := signed[:len(signed)-macSize], signed[len(signed)-macSize:]
	if !hmac.Equal(mac, s.mac(payload)) {
		return Link{}, ErrAltered
	}
	l, is := parse(payload[1:])
	switch {
	case !is:
		return Link{}, ErrMalformed
	case !now.Before(l.Expires):
		return l, ErrExpired
	}
	return l, nil
}

// Names says whether field, of a Link that was read, stands for name.
func Names(field, name string) bool { return field == carried(name) }

// carried is how a field stands in a token. What looks like a digest is
// replaced by its own, so that no name stands for another.
func carried(field string) string {
	if !long(field) && !strings.HasPrefix(field, hashed) {
		return field
	}
	sum := sha256.Sum256([]byte(field))
	return hashed + encoding.EncodeToString(sum[:])
}

func long(field string) bool { return len(field) > maxField }

func (s Signer) mac(payload []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(payload)
	return h.Sum(nil)[:macSize]
}

// fields are those of text, in the order in which a token has them.
func (l *Link) fields() []*string {
	return []*string{&l.ID, &l.Command, &l.Service, &l.Incident, &l.Host, &l.Approval}
}

func parse(rest []byte) (Link, bool) {
	var l Link
	for _, field := range l.fields() {
		if len(rest) == 0 || len(rest) <= int(rest[0]) {
			return Link{}, false
		}
		*field, rest = string(rest[1:1+rest[0]]), rest[1+rest[0]:]
	}
	seconds, n := binary.Uvarint(rest)
	if n <= 0 || seconds > uint64(1<<63-1)/uint64(time.Second) {
		return Link{}, false
	}
	expires, m := binary.Uvarint(rest[n:])
	if m <= 0 || n+m != len(rest) || expires > 1<<40 {
		return Link{}, false
	}
	l.For, l.Expires = time.Duration(seconds)*time.Second, time.Unix(int64(expires), 0).UTC()
	known := l.Command == Approve || l.Command == Deny || l.Command == Silence || l.Command == Hold
	return l, known && l.ID != ""
}

// Confirmation is what the page of a link sends back with token: only who was
// given the page has it. A page of another site can send a form here, and can't
// read ours.
func (s Signer) Confirmation(token string) string {
	return encoding.EncodeToString(s.mac(append([]byte{0}, token...))) // no link begins so
}

// Confirms says whether given is the Confirmation of token, in constant time.
func (s Signer) Confirms(token, given string) bool {
	return hmac.Equal([]byte(given), []byte(s.Confirmation(token)))
}
