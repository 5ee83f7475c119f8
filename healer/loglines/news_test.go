package loglines

import (
	"fmt"
	"testing"
	"time"

	"logstream/internal/container"
)

// TestNewsAreErrorsThatWereNotThereBefore: numbers, times and ids make no other
// message, and what is no error is no news.
func TestNewsAreErrorsThatWereNotThereBefore(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	learned, changed := began.Add(9*time.Minute), began.Add(10*time.Minute)
	at := func(after time.Duration, text string) container.Line {
		return container.Line{Time: began.Add(after), Text: text}
	}
	var m Memory
	m.Learn([]container.Line{at(0, "INFO listening"), at(time.Minute, "ERROR order 17 not found"), at(2*time.Minute, "ERROR cache is cold")}, began, learned)
	// What the new image wrote is learned as well, and is not known from before.
	m.Learn([]container.Line{at(11*time.Minute, "ERROR column total does not exist")}, changed, began.Add(12*time.Minute))
	after := []container.Line{
		at(11*time.Minute, "ERROR column total does not exist"),
		at(12*time.Minute, "ERROR order 18 not found"),
		at(12*time.Minute, "INFO 1 order shipped"),
		at(13*time.Minute, "ERROR column total does not exist"),
		at(14*time.Minute, "FATAL template order.html is missing"),
		at(15*time.Minute, "panic: nil map"), at(15*time.Minute, "goroutine 1 [running]:"), at(15*time.Minute, "main.main()"),
	}
	got, ok := m.News(after, changed, learned, changed, 9*time.Minute)
	if want := (News{Known: 2, New: 3, Example: "FATAL template order.html is missing"}); !ok || got != want {
		t.Errorf("the news are %+v, %v, want %+v", got, ok, want)
	}
	if got, _ := m.News(after, changed, learned, began.Add(14*time.Minute), time.Minute); got.New != 2 {
		t.Errorf("of the last minutes they are %+v", got)
	}
	if _, ok := m.News(after, changed, learned, changed, 10*time.Minute); ok {
		t.Error("less is known from before than is asked for, and it is compared")
	}
	var none *Memory
	if _, ok := none.News(after, changed, changed, changed, 0); ok {
		t.Error("nothing is known, and it is compared")
	}
}

// TestNewsOfAHostileLog are bounded.
func TestNewsOfAHostileLog(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	var m Memory
	m.Learn([]container.Line{{Time: began, Text: "ready"}}, began, began.Add(time.Hour))
	var lines []container.Line
	for i := range 5000 {
		lines = append(lines, container.Line{Time: began.Add(2 * time.Hour), Text: fmt.Sprintf("ERROR \x1b[2J %s password=hunter2 %s", string(rune('a'+i%26)), string(make([]byte, 4000)))})
	}
	got, ok := m.News(lines, began.Add(time.Hour), began.Add(time.Hour), began.Add(time.Hour), time.Minute)
	if !ok || got.New == 0 || got.New > Read || len(got.Example) > maxLine {
		t.Errorf("the news are %d messages, such as %d bytes", got.New, len(got.Example))
	}
}
