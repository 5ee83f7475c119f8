package eval

import (
	"slices"
	"time"
)

// Score counts results.
type Score struct {
	Incidents int    `json:"incidents"`
	Runbook   Count  `json:"runbook"`
	Model     *Count `json:"model,omitempty"` // nil: none was queried
	Done      Count  `json:"done"`            // by LogStream with that model
	MedianMS  int64  `json:"median_model_ms,omitempty"`
}

// Count is how many choices were what.
type Count struct {
	Right    int `json:"right"`
	Wrong    int `json:"wrong"`
	Harmful  int `json:"harmful"`
	Unusable int `json:"unusable"`
}

func (n *Count) add(v Verdict) {
	switch v {
	case Right:
		n.Right++
	case Wrong:
		n.Wrong++
	case Harmful:
		n.Harmful++
	case NoUse:
		n.Unusable++
	}
}

// ScoreOf is the score of results.
func ScoreOf(results []Result) Score {
	out := Score{Incidents: len(results)}
	var took []int64
	for _, r := range results {
		out.Runbook.add(r.Runbook.Verdict)
		out.Done.add(r.Done.Verdict)
		if r.Model != nil {
			if out.Model == nil {
				out.Model = &Count{}
			}
			out.Model.add(r.Model.Verdict)
			took = append(took, r.MS)
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		out.MedianMS = took[len(took)/2]
	}
	return out
}

// Median is the median time of an answer.
func (s Score) Median() time.Duration { return time.Duration(s.MedianMS) * time.Millisecond }
