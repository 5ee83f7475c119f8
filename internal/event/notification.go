package event

import (
	"errors"
	"fmt"
	"time"
)

// TopicNotifications has which messages were sent to which receiver.
const TopicNotifications = "logstream.notifications"

// Outcomes of a notification.
const (
	NotificationSent    = "sent"    // the receiver has taken it
	NotificationDropped = "dropped" // it is not sent: its service was silenced, or the receiver does not take this event
	NotificationBegan   = "began"   // nothing was said: the receiver gets what happens from here on
)

// Notification says that a receiver was notified: a record of TopicNotifications.
// A sender reads these first, so that nothing is sent again after a restart. It
// is written after the receiver accepted the message: after a kill in between the
// message is sent twice, and never lost.
type Notification struct {
	Time     time.Time `json:"time"`
	Receiver string    `json:"receiver"`
	Event    string    `json:"event"`   // opened, escalated, resolved, approval, lost, back, digest or summary
	Outcome  string    `json:"outcome"` // sent, dropped or began
	// News are what it was about: incident/ID/SEQ of an incident's event,
	// lost/PART/SECONDS and back/PART/SECONDS, digest/DATE.
	News     []string `json:"news"`
	Repeat   int      `json:"repeat"`  // 0: the first about this
	Service  string   `json:"service"` // empty: of several, or of none
	Incident string   `json:"incident"`
	Title    string   `json:"title"` // its first line
	Origin
}

// DecodeNotification reads a record of TopicNotifications.
func DecodeNotification(value []byte) (Notification, error) {
	var n Notification
	if err := decode(value, &n); err != nil {
		return Notification{}, fmt.Errorf("notification: %w", err)
	}
	if n.Receiver == "" {
		return Notification{}, errors.New("notification: receiver is missing")
	}
	return n, nil
}
