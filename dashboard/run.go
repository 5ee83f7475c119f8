package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"logstream/dashboard/metrics"
	"logstream/internal/supervise"
)

const (
	shutdownWithin = 3 * time.Second // requests that are answered still get this long

	// Bounds on a connection. A request's body is read, and its answer
	// written, within these.
	headerWithin = 5 * time.Second
	readWithin   = 20 * time.Second
	writeWithin  = 30 * time.Second
	idleFor      = 2 * time.Minute
	maxHeader    = 32 << 10 // bytes
)

// run is one life of the actor: everything in it is made again when the actor
// is restarted, and read back from the log.
type run struct {
	deps   Deps
	pages  *pages
	limits *limits
	log    *slog.Logger
	guard  guard

	description []byte // of the API

	metrics     *metrics.Metrics
	ctx         context.Context // of the actor's workers: requests end with it
	loop        *loop
	calls       chan func(*loop)
	oldest      time.Time     // of the commands that are read
	poke        chan struct{} // the parts are to be queried
	readers     chan struct{} // holds one for each history that is read
	logs        *shared[[]logLine]
	inspections *shared[Inspection]
	sockets     sync.WaitGroup // WebSockets outlive the server's own shutdown
	requests    http.Handler
	status      statusNow
}

// Run serves until ctx ends, and then within bounded time no more. It may be
// run again after an error.
func (d *Dashboard) Run(ctx context.Context) error {
	ln, err := d.take()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, engineReads)
	r := &run{
		deps: d.deps, pages: d.pages, limits: d.limits, log: d.deps.Logger,
		guard: newGuard(d.deps.Config, d.deps.SessionKey), description: describedAt(d.deps.Config.BasePath), metrics: newMetrics(d.deps),
		ctx: ctx, calls: make(chan func(*loop), 256), poke: make(chan struct{}, 1), readers: make(chan struct{}, readersAtOnce),
		logs: newShared[[]logLine](ctx, logsKept, slots), inspections: newShared[Inspection](ctx, inspectionKept, slots),
	}
	r.loop = newLoop(r)
	r.requests = r.routes()
	supervise.Go(ctx, group, "dashboard: state", func(ctx context.Context) error {
		r.loop.setInfo(r.known())
		return r.loop.run(ctx)
	})
	supervise.Go(ctx, group, "dashboard: records", func(ctx context.Context) error { return r.follow(ctx, group) })
	supervise.Go(ctx, group, "dashboard: info", r.watchInfo)
	supervise.Go(ctx, group, "dashboard: files of the page", r.pages.compress)
	supervise.Go(ctx, group, "dashboard: configuration", func(ctx context.Context) error { return r.reconfigure(ctx, d.apply) })
	if len(r.deps.Hooks) > 0 {
		supervise.Go(ctx, group, "dashboard: hooks", r.repeatHooks)
	}
	r.serve(ctx, group, ln, d.certificate)
	err = group.Wait()
	r.sockets.Wait() // each sees that ctx has ended
	return err
}

// serve answers requests until ctx ends; cert is nil without TLS.
func (r *run) serve(ctx context.Context, group *errgroup.Group, ln net.Listener, cert *certificate) {
	server := &http.Server{
		Handler:           r.requests,
		ReadHeaderTimeout: headerWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin, IdleTimeout: idleFor,
		MaxHeaderBytes: maxHeader, ConnState: newConnections(r.limits.connections).state,
		ErrorLog: slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
	serve := func() error { return server.Serve(ln) }
	if cert != nil {
		server.TLSConfig = cert.config()
		serve = func() error { return server.ServeTLS(ln, "", "") }
	}
	supervise.Go(ctx, group, "dashboard: server", func(context.Context) error {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	supervise.Go(ctx, group, "dashboard: shutdown", func(context.Context) error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			r.log.Warn("requests cut off at shutdown", "error", err)
			_ = server.Close() // what is left of the connections
		}
		return nil
	})
}

// send gives the loop something to do; false when it has ended.
func (r *run) send(ctx context.Context, call func(*loop)) bool {
	select {
	case r.calls <- call:
		return true
	case <-ctx.Done():
		return false
	case <-r.ctx.Done():
		return false
	}
}

var errEnding = errors.New("LogStream is stopping or restarting; try again in a few seconds")

// inLoop has the loop run a function, and waits until it has returned. With an error it
// was not run, and never will be: a caller gives up only what the loop has not begun.
func (r *run) inLoop(ctx context.Context, call func(*loop)) error {
	var claimed atomic.Bool // by the loop, which then runs it, or by the caller, which gives up
	done := make(chan struct{})
	if !r.send(ctx, func(l *loop) {
		if claimed.CompareAndSwap(false, true) {
			defer close(done)
			call(l)
		}
	}) {
		return errEnding
	}
	select {
	case <-done:
	case <-ctx.Done():
	case <-r.ctx.Done():
	}
	if claimed.CompareAndSwap(false, true) {
		return errEnding
	}
	<-done
	return nil
}
