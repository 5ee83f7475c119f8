package event

// Probe is one check that a person requested: the fields of
// a health log, with what else there is to see. It is on no topic.
type Probe struct {
	Service   string        `json:"service"`
	URL       string        `json:"url"` // secrets masked
	Check     string        `json:"check"`
	Status    Status        `json:"status"` // UNKNOWN: the check could not be made
	Code      int           `json:"code"`
	LatencyMS float64       `json:"latency_ms"`
	Error     string        `json:"error,omitempty"`
	Failure   Failure       `json:"failure,omitempty"`
	Detail    []ProbeDetail `json:"detail"` // in the order in which it was seen
}

// ProbeDetail is one line about a check, such as the address that was dialled.
type ProbeDetail struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}
