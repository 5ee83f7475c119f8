package event

// Need is a service that another depends on, and where that is known from:
// config, labels, compose, or network (its container uses the other's network).
type Need struct {
	Service string `json:"service"`
	From    string `json:"from"`
}
