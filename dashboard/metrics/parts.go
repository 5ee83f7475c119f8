package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// parts are the metrics of this process and of what it depends on.
type parts struct {
	active, held, busUp, dockerUp prometheus.Gauge
	model, problems, lag          *prometheus.GaugeVec
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func (p *parts) register(m *Metrics, build Build, checks func() map[string]Checks) {
	info := gauges("logstream_build_info", "Version of LogStream and of Go; always 1.", "version", "goversion")
	info.WithLabelValues(build.Version, build.Go).Set(1)
	p.active = gauge("logstream_active", "1 if this instance repairs on its host, 0 if it is on standby.")
	p.held = gauge("logstream_repairs_on_hold", "1 while an operator has put all repairs on the host on hold.")
	p.busUp = gauge("logstream_bus_up", "1 while Kafka is reachable; without it no repair is made.")
	p.dockerUp = gauge("logstream_docker_up", "1 while Docker is reachable; without it no repair is made.")
	p.model = gauges("logstream_model_ready", "1 while the model can be queried; absent if none is configured.")
	p.problems = gauges("logstream_component_problem", "1 while a component of LogStream has a problem; the dashboard shows it and how to fix it.", "part")
	p.lag = gauges("logstream_bus_lag_seconds", "Age of the newest record of a topic when this instance read it.", "topic")
	m.own.MustRegister(info, p.active, p.held, p.busUp, p.dockerUp, p.model, p.problems, p.lag,
		counter("logstream_bus_dropped_records_total", "Records dropped because memory was full while Kafka was unreachable.", func() uint64 { return m.state.Dropped })) // read within a scrape
	if checks != nil {
		m.own.MustRegister(schedule{checks})
	}
}

// schedule collects what the monitor counts of each service.
type schedule struct{ read func() map[string]Checks }

var (
	late    = prometheus.NewDesc("logstream_probes_late_total", "Checks of a service that began later than scheduled.", []string{"service"}, nil)
	skipped = prometheus.NewDesc("logstream_probes_skipped_total", "Checks of a service that were skipped because the previous one was still running.", []string{"service"}, nil)
)

// Describe is part of prometheus.Collector.
func (s schedule) Describe(to chan<- *prometheus.Desc) {
	to <- late
	to <- skipped
}

// Collect is part of prometheus.Collector.
func (s schedule) Collect(to chan<- prometheus.Metric) {
	for service, c := range s.read() {
		to <- prometheus.MustNewConstMetric(late, prometheus.CounterValue, float64(c.Late), service)
		to <- prometheus.MustNewConstMetric(skipped, prometheus.CounterValue, float64(c.Skipped), service)
	}
}

// counter is one that is counted elsewhere.
func counter(name, help string, value func() uint64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

func (p *parts) set(s State) {
	p.active.Set(truth(s.Active))
	p.held.Set(truth(s.Held))
	p.busUp.Set(truth(s.BusUp))
	p.dockerUp.Set(truth(s.DockerUp))
	if s.Model != nil {
		p.model.WithLabelValues().Set(truth(*s.Model))
	}
	p.problems.Reset()
	for _, part := range s.Problems {
		p.problems.WithLabelValues(part).Set(1)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
