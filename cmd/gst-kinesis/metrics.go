package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/metrics/datastream"
	"gst-kinesis/internal/producer"
)

func metricsFlags() []cli.Flag {
	const category = "METRICS"
	return []cli.Flag{
		&cli.StringFlag{Name: "metrics", Category: category, Usage: "answer Prometheus at `ADDRESS`, such as 127.0.0.1:9464; port 0 takes a free one"},
		&cli.StringFlag{Name: "metrics-emf", Category: category, Usage: "append lines in CloudWatch's embedded metric format to `FILE`; - is standard error"},
		&cli.DurationFlag{Name: "metrics-interval", Category: category, Value: metrics.DefaultInterval, Usage: "`TIME` between these lines"},
	}
}

// metricsOptions reads the flags.
func (p *program) metricsOptions(c *cli.Context) (metrics.Options, error) {
	o := metrics.Options{
		Address: c.String("metrics"), AddressName: "--metrics", Embedded: c.String("metrics-emf"), EmbeddedName: "--metrics-emf",
		Interval: c.Duration("metrics-interval"),
		Warn:     func(err error) { p.log.Warn(err.Error()) },
	}
	if o.Interval < metrics.LeastInterval || o.Interval > 24*time.Hour {
		return o, usageError("--metrics-interval %v is not between %v and 24h", o.Interval, metrics.LeastInterval)
	}
	return o, nil
}

// showMetrics makes ready what the flags ask for. The caller leaves.
func (p *program) showMetrics(c *cli.Context) (*metrics.Member, error) {
	o, err := p.metricsOptions(c)
	if err != nil {
		return nil, err
	}
	m, err := (&metrics.Registry{Out: p.err}).Join(o)
	if err != nil {
		return nil, err
	}
	if url := m.URL(); url != "" {
		p.log.Info("metrics are shown", "url", url)
	}
	return m, nil
}

// sourceOf gives the figures of a command's producer.
func sourceOf(p *producer.Producer, stream awscfg.Stream, command string) metrics.Source {
	return datastream.New(p, datastream.Names{Stream: stream.Name, Region: p.Settings().Region, Sensor: command, Element: command})
}
