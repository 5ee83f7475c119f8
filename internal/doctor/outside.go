package doctor

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"logstream/internal/container"
	"logstream/internal/docker/rights"
)

// What is checked outside: Kafka, Docker and what runs there, and the model.

func checkKafka(ctx context.Context, s *Subject) []Result {
	k := s.seenKafka(ctx)
	switch {
	case k.err != nil:
		return []Result{kafkaUnreachable(k.Address, k.Embedded, k.err)}
	case k.Embedded && k.Running == "":
		return []Result{kafkaNotStarted(k.Address)}
	case k.Embedded:
		return []Result{kafkaEmbedded(k.Address, k.Running)}
	}
	return []Result{kafkaReachable(k.Address)}
}

func checkTopics(ctx context.Context, s *Subject) []Result {
	k := s.seenKafka(ctx)
	if k.err != nil || len(k.Topics) == 0 {
		return nil
	}
	var all []Result
	missing := 0
	for _, t := range k.Topics {
		switch {
		case t.Missing:
			missing++
		case t.Fault == TopicPartitions:
			all = append(all, topicPartitions(k.Address, t))
		case t.Fault == TopicCompacted:
			all = append(all, topicCompacted(k.Address, t))
		case t.Fault == TopicDeletes:
			all = append(all, topicDeletes(k.Address, t))
		case t.Fault == TopicShort:
			all = append(all, topicShort(k.Kafka, t))
		}
	}
	if len(all) == 0 {
		return []Result{topicsRight(len(k.Topics)-missing, missing)}
	}
	return all
}

// oldestAPI is that of Docker 20.10, the oldest that LogStream is tested with.
const oldestAPI = "1.41"

func checkDocker(ctx context.Context, s *Subject) []Result {
	if s.Engine == nil {
		return []Result{engineUnknown(s.NoEngine)}
	}
	a := s.aboutEngine(ctx)
	unavailable := new(container.UnavailableError)
	switch {
	case errors.As(a.err, &unavailable):
		return []Result{engineUnavailable(s.Engine, unavailable)}
	case a.err != nil:
		return []Result{engineRefuses(s.Engine, a.err)}
	case older(a.API, oldestAPI):
		return []Result{engineOld(s.Engine, a.About)}
	}
	return []Result{engineReachable(s.Engine, a.About)}
}

// older compares versions such as 1.41; one that cannot be read is not older.
func older(version, than string) bool {
	major, minor, _ := strings.Cut(version, ".")
	thanMajor, thanMinor, _ := strings.Cut(than, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err1 != nil || err2 != nil {
		return false
	}
	c, _ := strconv.Atoi(thanMajor) // it is ours
	d, _ := strconv.Atoi(thanMinor)
	return a < c || a == c && b < d
}

func checkRights(ctx context.Context, s *Subject) []Result {
	e := s.engine(ctx)
	if e == nil {
		return nil
	}
	known, err := e.Rights(ctx)
	if err != nil {
		return []Result{rightsUnknown(err)}
	}
	refused := map[rights.Use][]string{}
	for _, r := range known {
		if !r.Allowed {
			refused[r.For] = append(refused[r.For], r.Call)
		}
	}
	var all []Result
	for _, use := range []rights.Use{rights.Observe, rights.Repair, rights.Change, rights.Fault} {
		if calls := refused[use]; len(calls) > 0 {
			all = append(all, callsRefused(use, calls))
		}
	}
	if len(all) == 0 {
		return []Result{rightsWhole(len(known))}
	}
	return all
}

func checkContainers(ctx context.Context, s *Subject) []Result {
	e := s.engine(ctx)
	if e == nil {
		return nil
	}
	var all []Result
	named, restarted := 0, 0
	for _, svc := range s.Settings.Services {
		if svc.Container == "" {
			continue
		}
		named++
		state, err := e.Find(ctx, svc.Container)
		ambiguous := new(container.AmbiguousError)
		switch {
		case errors.As(err, &ambiguous):
			all = append(all, containerAmbiguous(svc, ambiguous))
		case errors.Is(err, container.ErrNotFound):
			all = append(all, containerMissing(svc))
		case err != nil:
			return append(all, containersUnknown(err))
		case state.RestartPolicy != "" && state.RestartPolicy != "no":
			restarted++
		}
	}
	switch {
	case len(all) > 0:
		return all
	case named == 0 && !s.Settings.Discovers:
		return []Result{containersNone()}
	}
	return []Result{containersThere(named, restarted)}
}

// otherHealer is a program that acts on containers, too.
type otherHealer struct {
	image string // part of its image's name
	heals bool   // it restarts what fails; else it replaces containers by newer ones
}

var otherHealers = []otherHealer{
	{"autoheal", true},
	{"deunhealth", true},
	{"watchtower", false},
	{"ouroboros", false},
}

func checkOtherHealers(ctx context.Context, s *Subject) []Result {
	e := s.engine(ctx)
	if e == nil {
		return nil
	}
	list, err := e.List(ctx)
	if err != nil {
		return []Result{containersUnknown(err)}
	}
	var all []Result
	if s.about.Podman {
		all = append(all, rivalPodman())
	}
	for _, c := range list {
		if at := slices.IndexFunc(otherHealers, func(r otherHealer) bool { return strings.Contains(strings.ToLower(c.Image), r.image) }); at >= 0 && c.Live() {
			if otherHealers[at].heals {
				all = append(all, rivalHeals(c))
			} else {
				all = append(all, rivalUpdates(c))
			}
		}
	}
	if len(all) == 0 {
		return []Result{rivalNone()}
	}
	return all
}

func checkModel(ctx context.Context, s *Subject) []Result {
	if s.Model == nil {
		return []Result{modelUnused()}
	}
	m := s.Model(ctx)
	switch {
	case m.Late:
		return []Result{modelLate(m)}
	case m.Problem != "":
		return []Result{modelProblem(m)}
	}
	return []Result{modelAnswers(m)}
}
