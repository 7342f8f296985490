package kinesisvideosink

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/stamp"
	"gst-kinesis/internal/version"
)

// Settings are the element's properties; the units are kvssink's.
type Settings struct {
	StreamName                string
	AllowCreate               bool
	StreamTags                *gst.Structure
	RetentionPeriod           uint32 // hours
	KMSKeyID, ContentType     string
	Engine                    string
	StreamingType             string
	KeyFrameFragments         bool
	FragmentDuration          uint64 // ms
	AbsoluteTimes, Acks       bool
	TrackName, CodecID        string
	TimestampSource           string
	UseOriginalPTS            bool
	FileStartTime             uint64 // s
	DisableClipping           bool
	InterleaveWait            uint64 // ns
	StorageSize               uint32 // MiB
	Outage                    string
	MaxLatency, Staleness     uint32 // s
	StopTimeout               uint32 // s
	ConnectTimeout            uint32 // s
	CompletionTimeout         uint32 // s
	RotationPeriod            uint32 // s
	StartTimeout, Grace       uint64 // ns
	SpoolDirectory, SpoolSync string
	SpoolMaxBytes             uint64
	SpoolMaxAge               uint64 // ns
	MaxBandwidth              uint64 // bit/s
	BandwidthGroup            string
	Priority                  int32
	MetricsAddress            string
	MetricsEMF                string
	MetricsInterval           uint32 // ms
	AWS                       awsProperties
	Ignored                   ignored
}

// awsProperties say who we are to AWS and how it is reached.
type awsProperties struct {
	Region, EndpointURI     string
	AccessKey               string
	SecretKey, SessionToken awscfg.Secret
	CredentialPath          string
	IoTCertificate          *gst.Structure
	Profile                 string
	RoleARN, ExternalID     string
	CAFile, UserAgent       string
	Proxy                   awscfg.Secret
}

// ignored are kvssink's properties that have no meaning for gst-kinesis' own engine; docs/from-kvssink.md says why.
type ignored struct {
	BufferDuration, ReplayDuration     uint32
	TimecodeScale                      uint32
	FrameTimecodes                     bool
	RestartOnError, RecalculateMetrics bool
	Framerate, AvgBandwidth            uint32
	KVSMetrics                         bool
	LogConfig                          string
}

const (
	realtime     = "realtime"
	nearRealtime = "near-realtime"
	offline      = "offline"

	engineNative = "native"
	engineSDK    = "sdk"

	sourceOriginal = "original"
)

var defaults = settingsOf(putmedia.Default())

// settingsOf gives the engine's defaults as properties, so that they stand in one place.
func settingsOf(p putmedia.Settings) Settings {
	return Settings{
		AllowCreate: true, RetentionPeriod: 2, Engine: engineNative, StreamingType: realtime,
		KeyFrameFragments: p.KeyFrameFragments, FragmentDuration: uint64(p.FragmentDuration.Milliseconds()),
		AbsoluteTimes: p.Timecodes == putmedia.Absolute, Acks: p.Acks,
		TrackName: "kinesis_video", CodecID: "V_MPEG4/ISO/AVC",
		TimestampSource: stamp.Auto.String(), InterleaveWait: uint64(200 * time.Millisecond),
		StorageSize: uint32(p.StorageSize >> 20), Outage: p.Outage.String(), MaxLatency: seconds(p.MaxLatency), Staleness: seconds(p.Staleness),
		StopTimeout: seconds(p.DrainTimeout), ConnectTimeout: 5, CompletionTimeout: seconds(p.CompletionTimeout),
		RotationPeriod: seconds(p.SessionDuration), StartTimeout: uint64(p.StartTimeout), Grace: uint64(p.PermanentGrace),
		SpoolSync: spool.SyncInterval.String(), SpoolMaxBytes: spool.DefaultMaxBytes,
		MetricsInterval: uint32(metrics.DefaultInterval.Milliseconds()),
		AWS:             awsProperties{CredentialPath: defaultCredentialPath},
		Ignored: ignored{
			BufferDuration: 120, ReplayDuration: 40, TimecodeScale: 1, FrameTimecodes: true, RestartOnError: true, RecalculateMetrics: true,
			Framerate: 25, AvgBandwidth: 4 << 20, LogConfig: "../kvs_log_configuration",
		},
	}
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) } //nolint:gosec // defaults

// most is the longest name of a stream. Source: API reference of CreateStream.
const mostName = 256

// check says what is wrong with the settings before anything is begun.
func (s *Settings) check() error {
	switch {
	case s.StreamName == "":
		return errors.New("naming the stream: set stream-name")
	case len(s.StreamName) > mostName:
		return fmt.Errorf("naming the stream: stream-name has %d characters, and at most %d are allowed", len(s.StreamName), mostName)
	case s.FileStartTime != 0 && s.StreamingType != offline:
		return errors.New("file-start-time is for streaming-type=offline: set that too, or leave it out")
	}
	for _, c := range s.StreamName {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", c) {
			return fmt.Errorf("naming the stream: stream-name %q holds %q; a name consists of a-z, A-Z, 0-9, '_', '.' and '-'", s.StreamName, c)
		}
	}
	if s.Engine == engineSDK {
		return s.checkSDK()
	}
	return nil
}

// engine gives the settings as the engine takes them.
func (s *Settings) engine(region, endpoint string) (putmedia.Settings, error) {
	p := putmedia.Default()
	var err error
	if p.Outage, err = putmedia.ParseOutage(s.Outage); err != nil {
		return p, err
	}
	if s.StreamingType == offline {
		p.Outage = putmedia.Block
	}
	if !s.AbsoluteTimes {
		p.Timecodes = putmedia.Relative
	}
	p.Stream, p.Region, p.Endpoint = s.StreamName, region, endpoint
	p.KeyFrameFragments, p.FragmentDuration, p.Acks = s.KeyFrameFragments, time.Duration(s.FragmentDuration)*time.Millisecond, s.Acks
	p.StorageSize = int64(s.StorageSize) << 20
	p.MaxLatency, p.Staleness = duration(s.MaxLatency), duration(s.Staleness)
	p.CompletionTimeout, p.SessionDuration = duration(s.CompletionTimeout), duration(s.RotationPeriod)
	p.DrainTimeout, p.StopTimeout = duration(s.StopTimeout), duration(s.StopTimeout)
	p.StartTimeout, p.PermanentGrace = time.Duration(s.StartTimeout), time.Duration(s.Grace) //nolint:gosec // bounded by the properties
	p.WritingApp = "gst-kinesis " + version.Version
	return p, nil
}

func duration(s uint32) time.Duration { return time.Duration(s) * time.Second }

// spec is the stream as it is to be found or made.
func (s *Settings) spec(content string) (putmedia.Spec, error) {
	spec := putmedia.Spec{
		Name: s.StreamName, Create: s.AllowCreate, Retention: time.Duration(s.RetentionPeriod) * time.Hour, KMSKeyID: s.KMSKeyID,
		MediaType: content, UserAgent: s.AWS.UserAgent,
	}
	if s.ContentType != "" {
		spec.MediaType = s.ContentType
	}
	if s.StreamTags == nil {
		return spec, nil
	}
	spec.Tags = map[string]string{}
	for _, f := range s.StreamTags.Fields {
		text, ok := f.Value.(string)
		if !ok {
			return spec, fmt.Errorf("reading stream-tags: %s is %v and no text: write %s=(string)%v", f.Name, f.Value, f.Name, f.Value)
		}
		spec.Tags[f.Name] = text
	}
	return spec, nil
}

// spool opens the spool; nil where none is asked for.
func (s *Settings) spool(log *slog.Logger) (*spool.Spool, error) {
	if s.SpoolDirectory == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	sync, err := spool.ParseSync(s.SpoolSync)
	if err != nil {
		return nil, err
	}
	return spool.Open(spool.Settings{
		Directory: s.SpoolDirectory, MaxBytes: int64(s.SpoolMaxBytes), MaxAge: time.Duration(s.SpoolMaxAge), Sync: sync, Log: log, //nolint:gosec // bounded
	})
}

// metrics says where figures are shown.
func (s *Settings) metrics(warn func(error)) metrics.Options {
	return metrics.Options{
		Address: s.MetricsAddress, AddressName: "metrics-address", Embedded: s.MetricsEMF, EmbeddedName: "metrics-emf",
		Interval: time.Duration(s.MetricsInterval) * time.Millisecond, Warn: warn,
	}
}
