package hook

import (
	"errors"

	"logstream/internal/event"
)

// The states of a heartbeat of Uptime Kuma. A pending one is not decided yet,
// and one in maintenance says nothing.
const (
	kumaDown = 0
	kumaUp   = 1
)

// readUptimeKuma reads the JSON of Uptime Kuma's webhook. Messages about no
// heartbeat, such as its test and its warnings about certificates, report
// nothing.
func readUptimeKuma(body []byte) ([]report, []string, error) {
	var sent struct {
		Heartbeat *struct {
			Status *int    `json:"status"`
			Msg    string  `json:"msg"`
			Ping   float64 `json:"ping"`
		} `json:"heartbeat"`
		Monitor *struct {
			Name     string `json:"name"`
			PathName string `json:"pathName"` // with its groups, since 2.0
			Type     string `json:"type"`
		} `json:"monitor"`
		Msg *string `json:"msg"`
	}
	if err := decode(body, &sent); err != nil {
		return nil, nil, err
	}
	switch {
	case sent.Heartbeat == nil && sent.Monitor == nil && sent.Msg != nil:
		return nil, []string{"the message has no heartbeat"}, nil
	case sent.Heartbeat == nil || sent.Monitor == nil || sent.Heartbeat.Status == nil || sent.Monitor.Name == "":
		return nil, nil, errors.New(`"heartbeat.status" or "monitor.name" is missing: in Uptime Kuma, set the request body of the webhook to application/json`)
	}
	r := report{names: nonEmpty(sent.Monitor.PathName, sent.Monitor.Name), check: sent.Monitor.Type, why: sent.Heartbeat.Msg}
	switch *sent.Heartbeat.Status {
	case kumaDown:
		r.status = event.Down
	case kumaUp:
		r.status = event.Up
		r.latencyMS = max(0, sent.Heartbeat.Ping)
	default:
		return nil, []string{"the heartbeat is neither up nor down"}, nil
	}
	return []report{r}, nil, nil
}
