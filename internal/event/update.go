package event

import "time"

// Update is the newest change of a service's image that was not our own, and how
// the service does since.
type Update struct {
	Image           string        `json:"image"`
	ImageID         string        `json:"image_id"`
	PreviousImage   string        `json:"previous_image"`
	PreviousImageID string        `json:"previous_image_id"`
	Since           time.Time     `json:"since"` // when it was seen
	Until           time.Time     `json:"until"` // when the verdict is due, where nothing is bad before
	Verdict         UpdateVerdict `json:"verdict"`
	// Reasons are why it is bad; only of a bad one.
	Reasons []UpdateReason `json:"reasons,omitempty"`
	// FailingBefore says that the service failed already when its image changed:
	// whatever comes of it, this image is not to blame.
	FailingBefore bool `json:"failing_before,omitempty"`
	// PreviousBad says that the image before was held to be bad itself: nothing is
	// rolled back to it.
	PreviousBad bool          `json:"previous_bad,omitempty"`
	Before      UpdateFigures `json:"before"`
	After       UpdateFigures `json:"after"` // so far
	// Logs is what the container's log shows; absent where that cannot be read, or
	// too little is known of the log before the update.
	Logs *UpdateLogs `json:"logs,omitempty"`
}

// UpdateLogs compares the errors in the container's log with those from before the
// update. Two lines that differ in numbers, times and ids alone are one message.
type UpdateLogs struct {
	Known   int    `json:"known"`             // different error messages from before the update
	New     int    `json:"new"`               // different error messages of late that were not written before it
	Example string `json:"example,omitempty"` // one of the new ones, without secrets, and bounded
}

// UpdateFigures are what is compared: of the checks of our own that were
// scheduled, and of the container's ends, over at most the length of the watch.
type UpdateFigures struct {
	Checks int     `json:"checks"`
	Bad    int     `json:"bad"`
	P50MS  float64 `json:"p50_ms"` // of the good ones
	P95MS  float64 `json:"p95_ms"`
	Exits  int     `json:"exits"` // of the container by itself
}

// ErrorRate is the share of the checks that were bad.
func (f UpdateFigures) ErrorRate() float64 {
	if f.Checks == 0 {
		return 0
	}
	return float64(f.Bad) / float64(f.Checks)
}

// UpdateVerdict is what is held of an update.
type UpdateVerdict string

// The verdicts.
const (
	UpdateWatching UpdateVerdict = "watching" // not decided yet
	UpdateGood     UpdateVerdict = "good"
	UpdateBad      UpdateVerdict = "bad"
)

// UpdateReason is why an update is bad.
type UpdateReason string

// The reasons.
const (
	UpdateErrors     UpdateReason = "error_rate"
	UpdateLatency    UpdateReason = "latency"
	UpdateExits      UpdateReason = "exits"
	UpdateLog        UpdateReason = "new_errors"  // its log has error messages that were not there before
	UpdateDown       UpdateReason = "down"        // the service is DOWN at the end of the watch
	UpdateRolledBack UpdateReason = "rolled_back" // by LogStream, before there was another reason
)

// CheckUpdate is the `check` of an incident that was opened about an update of a
// service that is not DOWN.
const CheckUpdate = "update"

// Trust is how often a service in mode observe would have been repaired, and how
// often that would have been right.
type Trust struct {
	Would int       `json:"would"`
	Right int       `json:"right"`
	Since time.Time `json:"since"` // of the first of them
}

// CheckOperator is the `check` of an incident that was opened because an operator
// requested a repair, or an undo.
const CheckOperator = "operator"

// CheckProposal is the `check` of an incident that was opened for what a program
// proposed.
const CheckProposal = "proposal"
