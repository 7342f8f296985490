package kinesissink

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/places"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/wire"
)

// Settings are the element's properties.
type Settings struct {
	StreamName, StreamARN string

	Region, EndpointURI            string
	AccessKey                      string
	SecretAccessKey, SessionToken  awscfg.Secret
	CredentialPath                 string
	IoTCertificate                 *gst.Structure
	Profile, RoleARN, ExternalID   string
	RoleSessionName                string
	UseDualStack, UseFIPS          bool
	AccountIDEndpointMode          string
	CAFile, Wire, Check            string
	Proxy                          awscfg.Secret
	RequestTimeout                 int64 // ms
	RetryAttempts                  int32
	PartitionKeyMode, PartitionKey string
	PartitionKeyField              string
	ExplicitHashKey                string
	SensorName                     string
	Shards                         uint32
	Ordering, RateLimit            string
	Aggregation                    string
	Compression, Oversize          string
	AggregateMaxSize               uint32
	AggregateMaxCount              uint32
	MaxBandwidth                   uint64 // bit/s
	BandwidthGroup                 string
	Priority                       int32
	Linger                         uint64 // ns
	MaxInFlight                    uint32
	MaxSizeBytes                   uint64
	MaxSizeBuffers                 uint32
	MaxSizeTime                    uint64 // ns
	Leaky                          string
	MaxRecordSize                  uint32
	RecordTTL                      uint64 // ns
	DrainTimeout, StopTimeout      uint64 // ns
	SpoolDirectory, SpoolSync      string
	DeadLetter                     string
	SpoolMaxBytes                  uint64
	SpoolMaxAge                    uint64 // ns
	StartTimeout, PermanentGrace   uint64 // ns
	Acks                           string
	MetricsAddress, MetricsEMF     string
	MetricsInterval                uint32 // ms
}

const (
	checkOff     = "off"
	checkDryRun  = "dry-run"
	leakyAuto    = "auto"
	acksNone     = "none"
	acksMessages = "messages"
)

var defaults = settingsOf(producer.Default())

// settingsOf gives the producer's defaults as properties, so that they stand in one place.
func settingsOf(p producer.Settings) Settings {
	return Settings{
		RequestTimeout:   p.RequestTimeout.Milliseconds(),
		RetryAttempts:    int32(p.RetryAttempts),
		PartitionKeyMode: shard.SensorName.String(),
		Ordering:         p.Ordering.String(),
		RateLimit:        p.RateLimit.String(),

		Wire:              wire.Auto.String(),
		Check:             checkOff,
		SpoolSync:         spool.SyncInterval.String(),
		SpoolMaxBytes:     spool.DefaultMaxBytes,
		Compression:       p.Compression.String(),
		Oversize:          p.Oversize.String(),
		Aggregation:       p.Aggregation.String(),
		AggregateMaxSize:  uint32(p.AggregateMaxSize),
		AggregateMaxCount: uint32(p.AggregateMaxCount),

		Linger:         uint64(p.Linger),
		MaxInFlight:    uint32(p.MaxInFlight),
		MaxSizeBytes:   uint64(p.MaxSizeBytes),
		MaxSizeBuffers: uint32(p.MaxSizeBuffers),
		MaxSizeTime:    uint64(p.MaxSizeTime),
		Leaky:          leakyAuto,
		RecordTTL:      uint64(p.RecordTTL),
		DrainTimeout:   uint64(p.DrainTimeout),
		StopTimeout:    uint64(p.StopTimeout),
		StartTimeout:   uint64(p.StartTimeout),
		PermanentGrace: uint64(p.PermanentGrace),
		Acks:           acksNone,

		MetricsInterval: uint32(metrics.DefaultInterval.Milliseconds()),
	}
}

// producer gives the settings as the engine takes them.
func (s *Settings) producer(stream awscfg.Stream, region string) (producer.Settings, error) {
	rate, err := limit.ParseRate(s.RateLimit)
	if err != nil {
		return producer.Settings{}, fmt.Errorf("checking rate-limit: %w", err)
	}
	p := producer.Default()
	p.RateLimit = rate
	if s.Ordering == producer.Strict.String() {
		p.Ordering = producer.Strict
	}
	if p.Aggregation, err = producer.ParseAggregation(s.Aggregation); err != nil {
		return p, err
	}
	if p.Compression, err = envelope.ParseCodec(s.Compression); err != nil {
		return p, err
	}
	if p.Oversize, err = producer.ParseOversize(s.Oversize); err != nil {
		return p, err
	}
	p.AggregateMaxSize, p.AggregateMaxCount = int(s.AggregateMaxSize), int(s.AggregateMaxCount)
	p.Stream, p.StreamARN = stream.Name, stream.ARN
	p.Region, p.Endpoint = region, s.EndpointURI
	p.Linger = time.Duration(s.Linger)
	p.MaxInFlight = int(s.MaxInFlight)
	p.MaxSizeBytes = int64(s.MaxSizeBytes)
	p.MaxSizeBuffers = int(s.MaxSizeBuffers)
	p.MaxSizeTime = time.Duration(s.MaxSizeTime)
	if s.MaxRecordSize > 0 {
		p.MaxRecordSize = int(s.MaxRecordSize)
	}
	p.RecordTTL = time.Duration(s.RecordTTL)
	p.RetryAttempts = int(s.RetryAttempts)
	p.RequestTimeout = s.requestTimeout()
	p.PermanentGrace = time.Duration(s.PermanentGrace)
	p.StartTimeout = time.Duration(s.StartTimeout)
	p.DrainTimeout = time.Duration(s.DrainTimeout)
	p.StopTimeout = time.Duration(s.StopTimeout)
	p.Leaky = s.leaky(false)
	return p, nil
}

// places gives the settings of the spool and of the dead letters.
func (s *Settings) places(stream awscfg.Stream, region string, aws awscfg.Settings, log *slog.Logger) places.Settings {
	return places.Settings{
		SpoolDirectory: s.SpoolDirectory, SpoolSync: s.SpoolSync, SpoolMaxBytes: int64(s.SpoolMaxBytes), SpoolMaxAge: time.Duration(s.SpoolMaxAge),
		DeadLetter: s.DeadLetter, Stream: stream.String(), Region: region, AWS: aws, Log: log,
	}
}

// metrics says where figures are shown.
func (s *Settings) metrics(r *reporter) metrics.Options {
	return metrics.Options{
		Address: s.MetricsAddress, AddressName: "metrics-address", Embedded: s.MetricsEMF, EmbeddedName: "metrics-emf",
		Interval: time.Duration(s.MetricsInterval) * time.Millisecond, Warn: r.metricsFailed,
	}
}

// requestTimeout: without a bound of the user's the producer's own holds. A connection that is silent for longer is gone.
func (s *Settings) requestTimeout() time.Duration {
	if s.RequestTimeout <= 0 {
		return time.Hour
	}
	return time.Duration(s.RequestTimeout) * time.Millisecond
}

// leaky resolves auto: a live source must not be blocked, as it would lose data without counting it.
func (s *Settings) leaky(live bool) producer.Leaky {
	switch {
	case s.Leaky == producer.LeakyUpstream.String():
		return producer.LeakyUpstream
	case s.Leaky == producer.LeakyDownstream.String(), s.Leaky == leakyAuto && live:
		return producer.LeakyDownstream
	}
	return producer.LeakyNo
}

// aws gives the settings as awscfg takes them. The thing of a certificate is named after the stream, also for the places of dead letters.
func (s *Settings) aws(stream awscfg.Stream, notice func(string)) (awscfg.Settings, error) {
	mode, err := wire.ParseMode(s.Wire)
	if err != nil {
		return awscfg.Settings{}, err
	}
	var certificate *awscfg.IoTCertificate
	if s.IoTCertificate != nil {
		if certificate, err = awscfg.ParseIoTCertificate(s.IoTCertificate.All()); err != nil {
			return awscfg.Settings{}, err
		}
		certificate.ThingName = cmp.Or(certificate.ThingName, stream.Name)
	}
	return awscfg.Settings{
		Wire: mode, Notice: notice,
		Region: s.Region, EndpointURI: s.EndpointURI,
		AccessKey: s.AccessKey, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken,
		CredentialPath: s.CredentialPath, IoTCertificate: certificate,
		Profile: s.Profile, RoleARN: s.RoleARN, ExternalID: s.ExternalID, RoleSessionName: s.RoleSessionName,
		UseDualStack: s.UseDualStack, UseFIPS: s.UseFIPS, AccountIDEndpointMode: s.AccountIDEndpointMode,
		CAFile: s.CAFile, Proxy: s.Proxy, RequestTimeout: s.requestTimeout(), MaxConnections: int(s.MaxInFlight),
	}, nil
}
