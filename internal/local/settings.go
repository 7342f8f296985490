package local

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/sigv4"
	"gst-kinesis/internal/local/streams"
	"gst-kinesis/internal/local/video"
	"gst-kinesis/internal/local/videostreams"
)

// Limits says which of the service's throughput limits hold.
type Limits string

// The limits to choose from. Sizes of records and requests hold with both.
const (
	LimitsAWS  Limits = "aws"  // shards throttle as AWS's do; the default
	LimitsNone Limits = "none" // nothing is throttled
)

// Defaults of Settings.
const (
	DefaultAddr       = "127.0.0.1:0"
	DefaultAccount    = "000000000000"
	DefaultRegion     = "us-east-1"
	DefaultMaxBytes   = 256 << 20
	DefaultShardLimit = 20000 // AWS's quota in its largest regions

	DefaultVideoMemory = 512 << 20
	DefaultVideoDisk   = 16 << 30
)

// Types of the parts below that appear in the API.
type (
	// Credentials are what clients sign with.
	Credentials = sigv4.Credentials
	// StreamSpec says how a stream is to be created.
	StreamSpec = streams.CreateSpec
	// Record is one stored record.
	Record = streams.Stored
	// Rule is a fault rule.
	Rule = fault.Rule
	// Failure is the error answer in a fault rule.
	Failure = fault.Failure
	// FaultHandle is a fault rule in force.
	FaultHandle = fault.Handle
	// Script is a parsed fault script.
	Script = fault.Script
	// Request is one request whose answer is ready.
	Request = front.Seen
	// VideoStreamSpec says how a video stream is to be created.
	VideoStreamSpec = videostreams.CreateSpec
	// VideoTimes are those of sessions of PutMedia.
	VideoTimes = video.Times
	// PutMediaSession is what is known of a session of PutMedia.
	PutMediaSession = video.Session
	// Ack is an acknowledgement of PutMedia.
	Ack = video.Ack
)

// Settings of a Server. The zero value is a good endpoint for a test: a free port on loopback, no credentials, AWS's
// limits, memory only.
type Settings struct {
	// Addr is where to listen, host:port; port 0 takes a free one. Default 127.0.0.1:0.
	Addr string
	// AllowRemote permits an Addr that others than this machine can reach.
	AllowRemote bool
	// TLS, if set, makes the endpoint speak HTTPS; see SelfSigned.
	TLS *tls.Config
	// Credentials that clients must sign with, any one of them. None: signatures are not looked at.
	Credentials []Credentials
	// Account (12 digits) and Region appear in ARNs and messages.
	Account string
	// Region, if set, must also be the one that clients sign for.
	Region string
	// Limits: LimitsAWS (default) or LimitsNone.
	Limits Limits
	// ShardLimit is how many open shards the account may have. Default 20000.
	ShardLimit int
	// StateDelay is how long streams stay CREATING, UPDATING and DELETING. Default 0: not at all.
	StateDelay time.Duration
	// MaxBytes bounds the memory for records of all streams; the oldest are dropped beyond it. Default 256 MiB.
	MaxBytes int64
	// DataDir keeps streams and records over a restart; empty: memory only. One server owns it at a time.
	DataDir string
	// Sync makes every put wait until its records are on the disk itself, not only in the kernel's hands: then they
	// survive a loss of power, not only the death of the process.
	Sync bool
	// Create makes streams at the start, except those that DataDir brought back.
	Create []StreamSpec
	// VideoCreate makes video streams at the start, except those that DataDir brought back.
	VideoCreate []VideoStreamSpec
	// VideoMemory bounds the memory for fragments of all video streams, VideoDisk the room for them in DataDir; the oldest are
	// dropped beyond it. Default 512 MiB and 16 GiB.
	VideoMemory, VideoDisk int64
	// VideoTimes change what PutMedia waits for.
	VideoTimes VideoTimes
	// Faults are rules to start with; see also Server.AddFault.
	Faults []Rule
	// Seed makes the probabilities of faults repeatable.
	Seed uint64
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Observe, if set, hears of each request when its answer is ready and before it is sent, from many goroutines.
	Observe func(Request)
	// Logger hears what an operator should know, and each request at debug level. Default: discard.
	Logger *slog.Logger
}

// withDefaults fills in what was left out and checks the rest.
func (s Settings) withDefaults() (Settings, error) {
	if s.Addr == "" {
		s.Addr = DefaultAddr
	}
	if s.Account == "" {
		s.Account = DefaultAccount
	}
	if s.Limits == "" {
		s.Limits = LimitsAWS
	}
	if s.ShardLimit == 0 {
		s.ShardLimit = DefaultShardLimit
	}
	if s.MaxBytes == 0 {
		s.MaxBytes = DefaultMaxBytes
	}
	if s.VideoMemory == 0 {
		s.VideoMemory = DefaultVideoMemory
	}
	if s.VideoDisk == 0 {
		s.VideoDisk = DefaultVideoDisk
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s, s.check()
}

func (s *Settings) check() error {
	if s.Limits != LimitsAWS && s.Limits != LimitsNone {
		return fmt.Errorf("limits: %q is neither aws nor none", s.Limits)
	}
	if s.MaxBytes < 0 || s.ShardLimit < 0 || s.StateDelay < 0 || s.VideoMemory < 0 || s.VideoDisk < 0 {
		return errors.New("max-bytes, shard-limit, state-delay, video-memory and video-disk must not be negative")
	}
	for _, c := range s.Credentials {
		if c.AccessKeyID == "" || c.SecretAccessKey == "" {
			return errors.New("credentials need both an access key and a secret access key")
		}
	}
	if len(s.Account) != 12 || strings.Trim(s.Account, "0123456789") != "" {
		return fmt.Errorf("account %q is not 12 digits", s.Account)
	}
	return s.checkAddr()
}

// checkAddr refuses what others could reach unless that was asked for.
func (s *Settings) checkAddr() error {
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return fmt.Errorf("listening on %q: give host:port, such as %s: %w", s.Addr, DefaultAddr, err)
	}
	if s.AllowRemote || strings.EqualFold(host, "localhost") {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("listening on %q: other machines could reach it; use 127.0.0.1 or allow remote access explicitly", s.Addr)
}

// ParseStreamSpec reads NAME or NAME:SHARDS.
func ParseStreamSpec(text string) (StreamSpec, error) {
	name, count, found := strings.Cut(text, ":")
	spec := StreamSpec{Name: name, Shards: 1}
	if found {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return StreamSpec{}, fmt.Errorf("creating %q: the number of shards in NAME:SHARDS must be 1 or more", text)
		}
		spec.Shards = n
	}
	return spec, checkName(name)
}

// checkName applies the service's rule for names of streams.
func checkName(name string) error {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	if name == "" || len(name) > 128 || strings.Trim(name, chars) != "" {
		return fmt.Errorf("%q is no stream name: use 1 to 128 of a-z, A-Z, 0-9, _ . and -", name)
	}
	return nil
}
