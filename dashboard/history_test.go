package dashboard

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"logstream/dashboard/view"
	"logstream/internal/event"
)

// rollup writes a record of one of event.Levels, all of it down or all of it up.
func (s *site) rollup(level int, start time.Time, status event.Status, signed bool) {
	r := event.Rollup{Service: "payment-service", Start: start, Checks: 30, Revision: start.Unix(), Origin: origin}
	if seconds := event.Levels[level].Length.Seconds(); status == event.Down {
		r.DownS = seconds
	} else {
		r.UpS, r.Latency = seconds, r.Latency.Add(12).Add(14)
	}
	s.log.Put(event.Levels[level].Topic, r.Service, event.Encode(r), signed, start.Add(event.Levels[level].Length))
}

// hoursPast are some hours and minutes until now, of which one was down.
func hoursPast(s *site) {
	now := time.Now().UTC()
	for h := range 30 {
		status := event.Up
		if h == 3 {
			status = event.Down
		}
		s.rollup(1, now.Truncate(time.Hour).Add(-time.Duration(h+1)*time.Hour), status, true)
	}
	for start := now.Truncate(time.Hour); start.Before(now.Add(-time.Minute)); start = start.Add(time.Minute) {
		s.rollup(0, start, event.Up, true)
	}
}

func TestUptimeIsThatOfTheRollups(t *testing.T) {
	s := serve(t, nil, (*site).claim, hoursPast, func(s *site) {
		s.rollup(1, time.Now().Truncate(time.Hour).Add(-40*time.Hour), event.Down, false) // forged
	})
	s.eventually("the rollups are read", func() bool {
		d := get[serviceDetail](s, "/api/v1/services/payment-service")
		return d.Uptime.Day != nil && d.KnownS.Day > 23*3600 && *d.Uptime.Day < 0.97 && *d.Uptime.Day > 0.95 && d.KnownS.Week < 31*3600+1
	})
}

func TestALongHistoryIsReadFromKafka(t *testing.T) {
	var s *site
	var failing error
	reads := make(chan string, 100)
	s = serve(t, func(d *Deps) {
		d.ReadKey = func(_ context.Context, topic, key string, since, until time.Time, each func(event.Record)) error {
			reads <- topic + " " + key
			for _, rec := range s.log.On(topic) {
				if string(rec.Key) == key && !rec.Time.Before(since) {
					each(rec)
				}
			}
			return failing
		}
	}, (*site).claim, func(s *site) {
		for h := range 20 * 24 {
			s.rollup(1, time.Now().UTC().Truncate(time.Hour).Add(-time.Duration(h+1)*time.Hour), event.Up, true)
		}
		s.rollup(1, time.Now().UTC().Truncate(time.Hour).Add(-time.Hour), event.Down, false)
	})
	history := func(window string) []view.Point {
		return get[struct{ Points []view.Point }](s, "/api/v1/services/payment-service/history?window="+window).Points
	}
	points := history("30d")
	if got := <-reads; got != "logstream.rollups.1h payment-service" {
		t.Errorf("read %s", got)
	}
	if len(points) < 470 || len(points) > view.MaxPoints {
		t.Fatalf("%d points", len(points))
	}
	for _, p := range points {
		if p.Status != event.Up || *p.MinMS != 12 || *p.MaxMS != 14 || p.UpS != 3600 {
			t.Fatalf("%+v", p)
		}
	}
	s.eventually("the last week is remembered", func() bool { return len(history("7d")) >= 167 })
	if len(reads) != 0 {
		t.Errorf("what is remembered was read: %s", <-reads)
	}
	failing = errors.New("no broker answers")
	resp, body := s.do("GET", "/api/v1/services/payment-service/history?window=30d", "", nil)
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(decode[failure](t, body).Error, "cannot be read: Kafka did not answer in time") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
