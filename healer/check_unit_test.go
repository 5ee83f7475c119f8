package healer

import (
	"testing"

	"logstream/healer/runbook"
	"logstream/internal/event"
)

func TestAnsweredInWords(t *testing.T) {
	for _, tt := range []struct {
		code int
		text string
		want runbook.Answer
	}{
		{503, "HTTP 503, expected 200-399", runbook.AnswerStatus},
		{0, "localhost:8080 took the connection, and didn't answer within 1s", runbook.AnswerTimeout},
		{0, "no connection to localhost:8080 within 1s", runbook.AnswerTimeout},
		{0, "connection refused by localhost:8080: nothing listens there", runbook.AnswerRefused},
		{0, "localhost:8080 closed the connection before its answer was complete", runbook.AnswerRefused},
		{0, "no address is known for the name shop.example", runbook.AnswerBroken},
		{0, "the address of shop.example was not found out within 1s", runbook.AnswerBroken},
		{0, "the certificate of shop.example is for another name", runbook.AnswerBroken},
	} {
		if got := answerOf(event.HealthLog{Code: tt.code, Error: tt.text}); got != tt.want {
			t.Errorf("%q is %d, want %d", tt.text, got, tt.want)
		}
	}
}
