package kinesissink

import (
	"context"
	"errors"
	"log/slog"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/places"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/uplink"
	"gst-kinesis/plugins/internal/bus"
)

// session is what lives between Start and Stop.
type session struct {
	way      way
	producer *producer.Producer
	leave    func() // the shards' limits
	uplink   *uplink.Share
	member   *metrics.Member
	places   *places.Places
	keyer    *shard.Keyer
	field    keyField // as the element's sensor
	settings Settings
	word     *bus.Word // of why it cannot go on

	wait  *bus.Canceller // ends a Render that waits for room
	drain *bus.Canceller // ends a drain at the end of the stream
}

// begin starts the producer.
func (s *session) begin(stream awscfg.Stream, aws awscfg.Settings, limits *limit.Registry, observer producer.Observer, log *slog.Logger) error {
	settings, err := s.settings.producer(stream, s.way.Region())
	if err != nil {
		return err
	}
	if s.keyer, s.field, err = s.settings.keyer(func() *shard.Map { return s.producer.Shards() }); err != nil {
		return err
	}
	if s.places, err = places.Open(context.Background(), s.settings.places(stream, s.way.Region(), aws, log)); err != nil {
		return err
	}
	shared, leave := limits.Join(settings.Endpoint + " " + settings.Region + " " + stream.Name)
	s.leave = leave
	options := []producer.Option{
		producer.WithCredentials(s.way.CheckCredentials, s.way.RefreshCredentials),
		producer.WithShards(func(ctx context.Context) ([]shard.Shard, error) {
			return control.OpenShards(ctx, s.way, stream.Name, stream.ARN)
		}),
		producer.WithLimits(shared),
		producer.WithUplink(s.uplink),
	}
	if s.settings.Check == checkDryRun {
		options = append(options, producer.WithCheck())
	}
	if s.settings.MaxRecordSize == 0 {
		options = append(options, producer.WithRecordLimit(func(ctx context.Context) (int, error) {
			return control.LargestRecord(ctx, s.way, stream.Name, stream.ARN)
		}))
	}
	options = append(options, s.places.Options()...)
	if s.producer, err = producer.New(s.way, settings, observer, options...); err != nil {
		leave()
		return errors.Join(err, s.places.Close())
	}
	return nil
}

// tune applies the settings that may change while the session lives.
func (s *session) tune(now Settings) {
	s.uplink.SetBandwidth(now.MaxBandwidth)
	s.uplink.SetPriority(int(now.Priority))
}

// put gives a buffer to the producer as a record, by one of its ways to take it.
func (s *session) put(sensor string, v *gst.View, put func(*producer.Record) error) error {
	r := s.producer.Reserve(v.Size())
	v.CopyTo(r.Data)
	key, err := s.keyer.Next(s.keyName(sensor, v), r.Data) // the producer drops a record without a key and counts it
	r.PartitionKey, r.ExplicitHashKey, r.KeyError = key.Partition, key.Hash, err
	if s.settings.ExplicitHashKey != "" {
		r.ExplicitHashKey = s.settings.ExplicitHashKey
	}
	r.PTS = v.PTS()
	if t := v.Token(); !t.IsNil() {
		r.Token = t.Ref()
	}
	err = put(r)
	if t := v.Token(); err != nil && !t.IsNil() {
		t.Unref() // the record was refused
	}
	return err
}
