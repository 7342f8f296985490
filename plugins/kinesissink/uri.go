package kinesissink

import (
	"fmt"
	"net/url"
	"strconv"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/shard"
)

const scheme = "kinesis"

// parameter is a setting that stands in the URI's query.
type parameter struct {
	name string
	get  func(*Settings) string // "": not written
	set  func(*Settings, string) error
}

func text(name string, field func(*Settings) *string) parameter {
	return parameter{
		name: name,
		get:  func(s *Settings) string { return *field(s) },
		set:  func(s *Settings, v string) error { *field(s) = v; return nil },
	}
}

// parameters are those that may stand in a URI. Secrets may not: URIs are logged.
var parameters = []parameter{
	{
		name: "partition-key-mode",
		get: func(s *Settings) string {
			if s.PartitionKeyMode == defaults.PartitionKeyMode {
				return ""
			}
			return s.PartitionKeyMode
		},
		set: func(s *Settings, v string) error {
			mode, err := shard.ParseMode(v)
			s.PartitionKeyMode = mode.String()
			return err
		},
	},
	text("partition-key", func(s *Settings) *string { return &s.PartitionKey }),
	text("sensor-name", func(s *Settings) *string { return &s.SensorName }),
	{
		name: "shards",
		get: func(s *Settings) string {
			if s.Shards == defaults.Shards {
				return ""
			}
			return strconv.Itoa(int(s.Shards))
		},
		set: func(s *Settings, v string) error {
			n, err := strconv.ParseUint(v, 10, 32)
			if err != nil || n < 1 || n > shard.MaxRotation {
				return fmt.Errorf("%q is no number from 1 to %d", v, shard.MaxRotation)
			}
			s.Shards = uint32(n)
			return nil
		},
	},
	text("endpoint-uri", func(s *Settings) *string { return &s.EndpointURI }),
	text("profile", func(s *Settings) *string { return &s.Profile }),
	text("role-arn", func(s *Settings) *string { return &s.RoleARN }),
	text("external-id", func(s *Settings) *string { return &s.ExternalID }),
}

// URI gives kinesis://region/stream?… of the settings; "" while the stream is not named. The region may be empty.
func (s *element) URI() string {
	settings := s.settings.Get()
	stream, err := awscfg.StreamOf(settings.StreamName, settings.StreamARN)
	if err != nil {
		return ""
	}
	region := settings.Region
	if region == "" {
		region = stream.Region
	}
	query := url.Values{}
	for _, p := range parameters {
		if v := p.get(&settings); v != "" {
			query.Set(p.name, v)
		}
	}
	u := url.URL{Scheme: scheme, Host: region, Path: "/" + stream.Name, RawQuery: query.Encode()}
	return u.String()
}

// SetURI takes the settings that stand in a URI; the others stay.
func (s *element) SetURI(text string) error {
	settings := s.settings.Get()
	if err := settings.setURI(text); err != nil {
		return fmt.Errorf("reading the URI %q: %w", text, err)
	}
	s.settings.Update(func(now *Settings) { *now = settings })
	return nil
}

func (s *Settings) setURI(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	if u.Scheme != scheme || u.Opaque != "" {
		return fmt.Errorf("it is not of the form kinesis://region/stream?property=value")
	}
	name := u.Path
	if name != "" {
		name = name[1:]
	}
	stream, err := awscfg.ParseStream(name)
	if err != nil {
		return err
	}
	s.Region, s.StreamName, s.StreamARN = u.Host, stream.Name, stream.ARN
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return err
	}
	for _, p := range parameters {
		if query.Has(p.name) {
			if err := p.set(s, query.Get(p.name)); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			query.Del(p.name)
		}
	}
	for name := range query {
		return fmt.Errorf("%q may not stand in a URI; set it as a property", name)
	}
	return nil
}
