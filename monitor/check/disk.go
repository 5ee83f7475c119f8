package check

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"golang.org/x/sync/errgroup"

	"logstream/internal/event"
	"logstream/internal/service"
	"logstream/internal/supervise"
)

var diskKind = Kind{Name: "disk", Schemes: []string{"disk"}, Example: "disk:///var/lib?free=10%", Local: true,
	Problems: diskProblems, New: newDisk}

// defaultFree is how much has to be free where the url does not say.
const defaultFree = "10%"

// diskCheck reads how much of a file system is free, of bytes and of inodes:
// without one of them no file can be made.
type diskCheck struct {
	stateless
	path         string
	free, inodes limit
	statfs       func(path string) usage
	pending      chan usage // by a check that is still waiting for the file system; nil: by none
}

// usage is what the kernel says of a file system, for those who are not root.
type usage struct {
	bytes, freeBytes   uint64
	inodes, freeInodes uint64 // zero of zero: it does not count them
	err                error
}

func newDisk(def service.Definition, env Env) Checker {
	u := urlOf(def)
	c := &diskCheck{stateless: statelessOf(def, env, "", ""), path: path.Clean(u.Path)}
	free, inodes := diskLimits(u)
	c.free, _ = parseLimit(free, humanize.ParseBytes)
	c.inodes, _ = parseLimit(inodes, parseCount)
	c.host, c.statfs = c.foreign(c.path), statfs
	c.run = c.measure
	return c
}

// barePercent is a % that begins no escape: people write free=10%.
var barePercent = regexp.MustCompile(`%(&|$)`)

// diskQuery is the url with such a % escaped.
func diskQuery(u *url.URL) *url.URL {
	escaped := *u
	escaped.RawQuery = barePercent.ReplaceAllString(u.RawQuery, "%25$1")
	return &escaped
}

// diskLimits are the url's own, or the usual ones. A part of the bytes is
// wanted of the inodes too.
func diskLimits(u *url.URL) (free, inodes string) {
	query := diskQuery(u).Query()
	free = cmp.Or(query.Get("free"), defaultFree)
	usual := "0"
	if strings.HasSuffix(free, "%") {
		usual = free
	}
	return free, cmp.Or(query.Get("inodes"), usual)
}

func diskProblems(_ service.Definition, u *url.URL) []service.Problem {
	if u.Host != "" || u.User != nil || !path.IsAbs(u.Path) {
		return urlProblem(u, "does not name an absolute path; write disk:///var/lib?free=10%, with three slashes")
	}
	if found := queryProblems(diskQuery(u), queryKey{name: "free"}, queryKey{name: "inodes"}); found != nil {
		return found
	}
	free, inodes := diskLimits(u)
	if _, err := parseLimit(free, humanize.ParseBytes); err != nil {
		return urlProblem(u, "has an invalid free: use a percentage such as 10% or a size such as 5GiB")
	}
	if _, err := parseLimit(inodes, parseCount); err != nil {
		return urlProblem(u, "has invalid inodes: use a percentage such as 10% or a number")
	}
	return nil
}

// limit is a part of a whole, or a number.
type limit struct {
	percent float64 // zero: count
	count   uint64
	text    string // as it was written
}

func parseLimit(s string, count func(string) (uint64, error)) (limit, error) {
	number, isPart := strings.CutSuffix(s, "%")
	if !isPart {
		n, err := count(s)
		return limit{count: n, text: s}, err
	}
	percent, err := strconv.ParseFloat(number, 64)
	if err == nil && !(percent > 0 && percent < 100) {
		err = strconv.ErrRange
	}
	return limit{percent: percent, text: s}, err
}

func parseCount(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }

func (l limit) holds(free, of uint64) bool {
	if l.percent > 0 {
		return percentOf(free, of) >= l.percent
	}
	return free >= l.count
}

func percentOf(free, of uint64) float64 {
	if of == 0 {
		return 100
	}
	return 100 * float64(free) / float64(of)
}

// measure queries the kernel in a goroutine of its own: for a network file system
// whose server is gone, it answers never. There is at most one such goroutine,
// which later checks wait for too.
func (c *diskCheck) measure(ctx context.Context, p *progress) error {
	if c.pending == nil {
		asked := make(chan usage, 1)
		supervise.Go(context.WithoutCancel(ctx), new(errgroup.Group), "statfs", func(context.Context) error {
			asked <- c.statfs(c.path)
			return nil
		})
		c.pending = asked
	}
	select {
	case seen := <-c.pending:
		c.pending = nil
		return c.judge(p, seen)
	case <-ctx.Done():
		return failed(event.FailureDisk, "the file system at %s did not answer within %s", c.host, c.timeout)
	}
}

func (c *diskCheck) judge(p *progress, seen usage) error {
	if seen.err != nil {
		return failed(event.FailureCheck, "the check could not run: %s: %s", c.host, p.reason(seen.err))
	}
	p.note("free", fmt.Sprintf("%s of %s (%.1f%%)", humanize.IBytes(seen.freeBytes), humanize.IBytes(seen.bytes), percentOf(seen.freeBytes, seen.bytes)))
	p.note("free inodes", fmt.Sprintf("%d of %d (%.1f%%)", seen.freeInodes, seen.inodes, percentOf(seen.freeInodes, seen.inodes)))
	switch {
	case !c.free.holds(seen.freeBytes, seen.bytes):
		return failed(event.FailureDisk, "%s (%.1f%%) free at %s, expected at least %s",
			humanize.IBytes(seen.freeBytes), percentOf(seen.freeBytes, seen.bytes), c.host, c.free.text)
	case seen.inodes > 0 && !c.inodes.holds(seen.freeInodes, seen.inodes):
		return failed(event.FailureDisk, "%d inodes (%.1f%%) free at %s, expected at least %s",
			seen.freeInodes, percentOf(seen.freeInodes, seen.inodes), c.host, c.inodes.text)
	}
	return nil
}
