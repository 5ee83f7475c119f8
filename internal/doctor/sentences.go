package doctor

import (
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"logstream/internal/container"
	"logstream/internal/docker"
	"logstream/internal/docker/rights"
	"logstream/internal/health"
)

// Everything that is said, each in one sentence: what is the case, and for what
// is not as it should be how to fix it.

func fine(format string, args ...any) Result {
	return Result{Level: OK, Message: fmt.Sprintf(format, args...)}
}

func warn(fix health.Remedy, format string, args ...any) Result {
	return Result{Level: Warn, Fix: fix, Message: fmt.Sprintf(format, args...)}
}

func fail(fix health.Remedy, format string, args ...any) Result {
	return Result{Level: Fail, Fix: fix, Message: fmt.Sprintf(format, args...)}
}

func fix(text, command string, args ...any) health.Remedy {
	return health.Remedy{Text: text, Command: fmt.Sprintf(command, args...)}
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// The configuration.

func configMissing(path string) Result {
	return fail(fix("write one from the containers that run", "logstream init --config %s", path), "%s does not exist; the rest was examined with the defaults", path)
}

func configWrong(path string, all []string) Result {
	return fail(fix("correct it; this command lists every error", "logstream check --config %s", path), "%s%s; the rest was examined with the defaults", all[0], more(all))
}

func configWarned(path string, all []string) Result {
	return warn(fix("correct it, or keep it if it is meant; this command lists every warning", "logstream check --config %s", path), "%s%s", all[0], more(all))
}

func more(all []string) string {
	if len(all) == 1 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", len(all)-1)
}

func configValid(path string, s Settings) Result {
	return fine("%s is valid: %s, mode %s", path, many(len(s.Services), "service"), s.Mode)
}

// The data directory and its disk.

func dataNotMade(dir string) Result {
	return fine("the data directory %s is created at the first start", dir)
}

func dataUsable(dir, running string) Result {
	if running != "" {
		return fine("the data directory %s is in use by the running instance (%s)", dir, running)
	}
	return fine("the data directory %s is writable", dir)
}

func dataCannotBeMade(dir, parent string) Result {
	return fail(fix("create it for this user, or set bus.embedded.data", "sudo install -d -m 700 -o $(id -un) %s", dir), "the data directory %s cannot be created: %s is not writable", dir, parent)
}

func dataUnreadable(dir string, err error) Result {
	return fail(fix("make it readable for this user, or set bus.embedded.data", "ls -ld %s", dir), "the data directory cannot be read: %v", err)
}

func dataNoDirectory(dir string) Result {
	return fail(fix("move the file elsewhere, or set bus.embedded.data", "mv %s %[1]s.old", dir), "%s is a file, and should be the data directory", dir)
}

func dataNotWritable(dir string) Result {
	return fail(fix("give it to this user, or set bus.embedded.data", "sudo chown -R $(id -un) %s", dir), "the data directory %s is not writable for this user", dir)
}

func secretReadable(path string, mode fs.FileMode) Result {
	return warn(fix("", "chmod 600 %s", path), "other users may read %s (mode %04o): with it they can sign records that repair or stop containers", path, mode)
}

func size(bytes int64) string { return humanize.IBytes(uint64(max(0, bytes))) }

func diskFree(dir string, free int64) Result {
	return fine("%s are free on the disk of %s", size(free), dir)
}

func diskTight(dir string, free, need int64) Result {
	return warn(fix("free space, lower bus.embedded.max_size, or set bus.embedded.data to another disk; this command shows what Docker uses", "docker system df"),
		"%s are free on the disk of %s, and LogStream may need %s", size(free), dir, size(need))
}

func diskFull(dir string, free int64) Result {
	return fail(fix("free space, or set bus.embedded.data to another disk; this command shows what Docker uses", "docker system df"),
		"the disk of %s is full: %s are free, and nothing can be recorded", dir, size(free))
}

// The clock.

const setClock = "sudo timedatectl set-ntp true"

func clockRight() Result { return fine("a time service keeps the clock right") }
func clockSame() Result  { return fine("the clock agrees with the engine's, as far as is known") }

func clockFree() Result {
	return warn(fix("turn the time service on", setClock), "no time service keeps the clock right: times of several machines cannot be compared once it drifts")
}

func clockOff(by time.Duration) Result {
	return warn(fix("set the clocks of both machines", setClock), "the clock of the Docker engine differs from this machine's by %s: LogStream counts failures from the container's last start, so a restart may come that much too early or too late", by.Abs().Round(time.Millisecond))
}

func clockWrong(by time.Duration) Result {
	return fail(fix("set the clocks of both machines", setClock), "the clock of the Docker engine differs from this machine's by %s: commands and events would be too old", by.Abs().Round(time.Second))
}

// Ports.

func portFree(at Address) Result { return fine("%s (%s) is free", at.Address, at.Key) }

func portOurs(at Address, running string) Result {
	return fine("%s (%s) is in use by the running instance (%s)", at.Address, at.Key, running)
}

func portTaken(at Address) Result {
	_, port, _ := net.SplitHostPort(at.Address) // it was listened at
	return fail(fix("stop what listens there, or set "+at.Key+" to another port; this command shows it", "sudo ss -ltnp 'sport = :%s'", port), "%s (%s) is in use by another program", at.Address, at.Key)
}

func portForbidden(at Address) Result {
	return fail(fix("set "+at.Key+" to a port above 1023, or allow low ports", "sudo setcap cap_net_bind_service=+ep $(command -v logstream)"), "this user may not listen on %s (%s)", at.Address, at.Key)
}

func portUnusable(at Address, err error) Result {
	return fail(fix("set "+at.Key+" to an address of this machine; this command lists them", "ip -brief address"), "nothing can listen on %s (%s): %v", at.Address, at.Key, err)
}

// Kafka.

func kafkaReachable(address string) Result { return fine("Kafka answers at %s", address) }

func kafkaEmbedded(address, running string) Result {
	return fine("the embedded broker answers at %s, in the running instance (%s)", address, running)
}

func kafkaNotStarted(address string) Result {
	return fine("no Kafka is needed: the embedded broker starts with logstream run, at %s", address)
}

func kafkaUnreachable(address string, embedded bool, err error) Result {
	if embedded {
		return fail(fix("restart the running instance, or correct bus.embedded.listen", "logstream run"), "%v", err)
	}
	host, port, _ := net.SplitHostPort(address) // checked with the configuration
	return fail(fix("start Kafka, or correct bus.brokers; this command tries the connection", "nc -vz %s %s", host, port), "%v", err)
}

func topicsRight(there, missing int) Result {
	if missing > 0 {
		return fine("%d of %s exist, without a fault; the others are created when they are needed", there, many(there+missing, "topic"))
	}
	return fine("%s exist, without a fault", many(there, "topic"))
}

// setTopic is Kafka's own command for a setting.
func setTopic(address string, t Topic) string {
	return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --topic %s --add-config %s=%s", address, t.Name, t.Setting, t.Want)
}

func topicPartitions(address string, t Topic) Result {
	return fail(health.Remedy{Text: "stop every instance and delete the topic, with its history; it is created again as it should be", Command: fmt.Sprintf("kafka-topics.sh --bootstrap-server %s --delete --topic %s", address, t.Name)},
		"the topic %s has %s partitions: with more than one its events have no order", t.Name, t.Have)
}

func topicCompacted(address string, t Topic) Result {
	return fail(health.Remedy{Command: setTopic(address, t)}, "the topic %s has cleanup.policy %s: compaction deletes the history of every service but its newest record", t.Name, t.Have)
}

func topicDeletes(address string, t Topic) Result {
	return warn(health.Remedy{Command: setTopic(address, t)}, "the topic %s has cleanup.policy %s: records of what did not change recently are deleted", t.Name, t.Have)
}

func topicShort(k Kafka, t Topic) Result {
	lengthen := health.Remedy{Command: setTopic(k.Address, t)}
	if k.Embedded {
		lengthen = health.Remedy{Text: "restart the running instance, so that its broker takes the configuration"}
	}
	return warn(lengthen, "the topic %s keeps records for %s, and should keep them for %s: older history is lost", t.Name, kept(t.Have), kept(t.Want))
}

// kept is a value of retention.ms in words.
func kept(ms string) string {
	n, err := strconv.ParseInt(ms, 10, 64)
	switch {
	case err != nil:
		return ms + " ms"
	case n < 0:
		return "ever"
	case n%86_400_000 == 0:
		return many(int(n/86_400_000), "day")
	}
	return (time.Duration(n) * time.Millisecond).String()
}

// Docker.

func where(e Engine) string { return fmt.Sprintf("%s (chosen by %s)", e.Host(), e.ChosenBy()) }

func version(a docker.About) string {
	kind := "Docker"
	if a.Podman {
		kind = "Podman"
	}
	return fmt.Sprintf("%s %s, API %s", kind, a.Version, a.API)
}

func engineReachable(e Engine, a docker.About) Result {
	return fine("%s answers at %s", version(a), where(e))
}

func engineOld(e Engine, a docker.About) Result {
	return warn(fix("update Docker", "docker version"), "%s at %s is older than Docker 20.10, with which LogStream is tested", version(a), where(e))
}

func engineUnknown(err error) Result {
	return fail(fix("correct docker.host, DOCKER_HOST or the docker context; this command lists the contexts", "docker context ls"), "%v", err)
}

func engineUnavailable(e Engine, why *container.UnavailableError) Result {
	return fail(why.Remedy, "Docker is unreachable: %s (chosen by %s)", why.Why, e.ChosenBy())
}

func engineRefuses(e Engine, err error) Result {
	return fail(fix("allow GET /info in the proxy before the socket", "docker info"), "Docker at %s does not answer: %v", where(e), err)
}

func rightsWhole(n int) Result { return fine("all %d kinds of calls reach the engine", n) }

func rightsUnknown(err error) Result {
	return fail(fix("try again; this command shows whether Docker answers", "docker ps"), "LogStream cannot determine which calls reach the engine: %v", err)
}

func callsRefused(use rights.Use, calls []string) Result {
	allow := health.Remedy{Text: "allow these calls in the proxy before the socket, or set docker.host to the socket itself"}
	list := strings.Join(calls, ", ")
	switch use {
	case rights.Observe:
		return fail(allow, "the engine's proxy refuses calls without which failures are not seen or not explained: %s", list)
	case rights.Repair:
		return fail(allow, "the engine's proxy refuses calls that repairs make: %s", list)
	case rights.Change:
		return warn(allow, "the engine's proxy refuses calls of repairs that change a container (raise_memory, rollback, recreate): %s", list)
	}
	return warn(allow, "the engine's proxy refuses calls that inject faults: %s", list)
}

// Containers.

func containersThere(n, restarted int) Result {
	if restarted == 0 {
		return fine("each container of the configuration exists (%d)", n)
	}
	return fine("each container of the configuration exists (%d); Docker restarts %d of them itself (restart policy), and LogStream gives it 10s to do so", n, restarted)
}

func containersNone() Result {
	return warn(fix("name the container of each service, or set docker.discover; this command lists them", "docker ps --format '{{.Names}}'"), "no service names a container, so nothing can be repaired")
}

func containersUnknown(err error) Result {
	return fail(fix("try again; this command shows whether Docker answers", "docker ps"), "the containers cannot be inspected: %v", err)
}

func containerMissing(svc Service) Result {
	return warn(fix("create the container, or correct the name; this command lists them", "docker ps -a --format '{{.Names}}'"), "service %s: there is no container %q", svc.Name, svc.Container)
}

func containerAmbiguous(svc Service, err *container.AmbiguousError) Result {
	return fail(fix("name one of them; this command lists them", "docker ps -a --format '{{.Names}}'"), "service %s: %q names %d containers (%s), so none is repaired", svc.Name, svc.Container, len(err.Candidates), strings.Join(err.Candidates, ", "))
}

// Others that act on containers.

func rivalNone() Result {
	return fine("no other program that restarts or updates containers was found")
}

func rivalHeals(c container.Listed) Result {
	return warn(fix("stop it", "docker stop %s", c.Name), "container %s (%s) restarts containers, too: after it restarts one, LogStream waits and does not repair that container", c.Name, c.Image)
}

func rivalUpdates(c container.Listed) Result {
	return fine("container %s (%s) updates containers; LogStream waits while it does, and compares each service before and after", c.Name, c.Image)
}

func rivalPodman() Result {
	return warn(fix("create the containers that LogStream repairs without --health-on-failure; this command shows who has it", "podman inspect --format '{{.Name}} {{.Config.HealthcheckOnFailureAction}}' $(podman ps -aq)"),
		"the engine is Podman, which acts on unhealthy containers by itself where they were created with --health-on-failure")
}

// The model.

func modelUnused() Result { return fine("no model is queried (healer.decide: runbook)") }

func modelAnswers(m Model) Result {
	return fine("the model %s answered a test question in %s", m.Name, m.Took.Round(100*time.Millisecond))
}

func modelLate(m Model) Result {
	return warn(health.Remedy{Text: "raise healer.llm.timeout, set healer.llm.think: off, or use a smaller model; until then the runbook decides"}, "the model %s: %s", m.Name, m.Problem)
}

func modelProblem(m Model) Result {
	if m.Fix == (health.Remedy{}) {
		m.Fix.Text = "use another model (healer.llm.model), or set healer.decide: runbook"
	}
	return warn(m.Fix, "the model %s gives no answer, so the runbook decides: %s", m.Name, m.Problem)
}
