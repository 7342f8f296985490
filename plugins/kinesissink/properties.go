package kinesissink

import (
	"math"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/wire"
)

func enum(nick, name string, value int) gst.EnumValue {
	return gst.EnumValue{Nick: nick, Name: name, Value: int32(value)}
}

// The long names of the modes are those of S1's tools, so that a launch line takes either.
var (
	keyModes = []gst.EnumValue{
		enum(shard.SensorName.String(), "sensor_name", int(shard.SensorName)),
		enum(shard.Random.String(), "random", int(shard.Random)),
		enum(shard.Static.String(), "static", int(shard.Static)),
		enum(shard.Spread.String(), "spread", int(shard.Spread)),
		enum(shard.Field.String(), "field", int(shard.Field)),
	}
	leakies = []gst.EnumValue{
		enum(producer.LeakyNo.String(), "Block upstream", 0),
		enum(producer.LeakyUpstream.String(), "Drop the new record, counted", 1),
		enum(producer.LeakyDownstream.String(), "Drop the oldest record, counted", 2),
		enum(leakyAuto, "Downstream where the source is live, else no", 3),
	}
	orderings = []gst.EnumValue{
		enum(producer.BestEffort.String(), "As long as the service refuses no single record", int(producer.BestEffort)),
		enum(producer.Strict.String(), "Always: one record of a key under way at a time", int(producer.Strict)),
	}
	aggregations = []gst.EnumValue{
		enum(producer.AggregateNone.String(), "Each buffer is a record", int(producer.AggregateNone)),
		enum(producer.AggregateKPL.String(), "In the format of the Kinesis Producer Library, which KCL, Lambda's helpers and Firehose take apart", int(producer.AggregateKPL)),
		enum(producer.AggregateNewline.String(), "As lines, for text", int(producer.AggregateNewline)),
	}
	compressions = []gst.EnumValue{
		enum(envelope.None.String(), "As they are", int(envelope.None)),
		enum(envelope.Gzip.String(), "By gzip, where that makes it smaller", int(envelope.Gzip)),
		enum(envelope.Zstd.String(), "By zstd, where that makes it smaller", int(envelope.Zstd)),
	}
	oversizes = []gst.EnumValue{
		enum(producer.OversizeDrop.String(), "Drop it with a warning, counted", int(producer.OversizeDrop)),
		enum(producer.OversizeError.String(), "End the stream with an error", int(producer.OversizeError)),
		enum(producer.OversizeSplit.String(), "Send it in parts, which only readers of gst-kinesis put together", int(producer.OversizeSplit)),
	}
	wires = []gst.EnumValue{
		enum(wire.Auto.String(), "CBOR to AWS and to gst-kinesis local, JSON to any other endpoint-uri", int(wire.Auto)),
		enum(wire.OnlyJSON.String(), "JSON always", int(wire.OnlyJSON)),
		enum(wire.PreferCBOR.String(), "CBOR, until the endpoint refuses it", int(wire.PreferCBOR)),
	}
	checks = []gst.EnumValue{
		enum(checkOff, "The first record tells", 0),
		enum(checkDryRun, "By PutRecords with DryRun, before there is a record", 1),
	}
	spoolSyncs = []gst.EnumValue{
		enum(spool.SyncInterval.String(), "Once a second: a loss of power costs that much", 0),
		enum(spool.SyncAlways.String(), "Before a buffer counts as accepted: a loss of power costs nothing", 1),
		enum(spool.SyncNone.String(), "When the system does it", 2),
	}
	ackModes = []gst.EnumValue{
		enum(acksNone, "No messages", 0),
		enum(acksMessages, "An element message kinesissink-ack for each answer of the service", 1),
	}
)

type property = gst.Property[Settings]

var properties = &gst.Properties[Settings]{
	Defaults: defaults,
	List: append(append(append(append([]property{}, streamProperties...), awsProperties...), queueProperties...), property{
		Name:  "stats",
		Blurb: "The books and figures of the stream: records and bytes accepted, delivered, dropped by reason, in flight; retries, latency",
		Field: func(*Settings) any { return new(*gst.Structure) },
		Flags: gst.ReadOnly,
	}),
}

var streamProperties = []property{
	{
		Name:  "stream-name",
		Blurb: "Name of the data stream (or its ARN)",
		Field: func(s *Settings) any { return &s.StreamName },
	},
	{
		Name:  "stream-arn",
		Blurb: "ARN of the data stream, in place of stream-name and region",
		Field: func(s *Settings) any { return &s.StreamARN },
	},
	{
		Name:  "partition-key-mode",
		Blurb: "How each record gets its partition key, which decides its shard",
		Field: func(s *Settings) any { return &s.PartitionKeyMode }, EnumName: "GstKinesisPartitionKeyMode", Values: keyModes,
	},
	{
		Name:  "partition-key",
		Blurb: "The key of all records with partition-key-mode=static: 1 to 256 characters",
		Field: func(s *Settings) any { return &s.PartitionKey },
	},
	{
		Name:  "partition-key-field",
		Blurb: "Where the key is with partition-key-mode=field: a key of the payload's msgpack map or JSON object (camera.name for one in another), caps:NAME, or meta:NAME.FIELD of a GstCustomMeta",
		Field: func(s *Settings) any { return &s.PartitionKeyField },
	},
	{
		Name:  "explicit-hash-key",
		Blurb: "Hash key of all records in place of their keys' own, which decides the shard: a decimal number below 2^128",
		Field: func(s *Settings) any { return &s.ExplicitHashKey },
	},
	{
		Name:  "sensor-name",
		Blurb: "Name of the sensor, of which partition-key-mode=sensor-name makes its keys (unset: sensor-name in the caps, else the element's name)",
		Field: func(s *Settings) any { return &s.SensorName },
	},
	{
		Name:  "shards",
		Blurb: "Keys per sensor, used in turn: 3 gives name1, name2, name0. With partition-key-mode=sensor-name they lie where their hashes do, with spread on as many shards of the stream (0 = 1, with spread as many as the stream has shards). With more than 1, order across keys is not kept",
		Field: func(s *Settings) any { return &s.Shards }, Max: shard.MaxRotation,
	},
	{
		Name:  "acks",
		Blurb: "Element messages that tell the sequence number of each record",
		Field: func(s *Settings) any { return &s.Acks }, EnumName: "GstKinesisAcks", Values: ackModes,
	},
}

var awsProperties = []property{
	{
		Name:  "region",
		Blurb: "AWS region (unset: the stream ARN's, AWS_REGION, or the profile's)",
		Field: func(s *Settings) any { return &s.Region },
	},
	{
		Name:  "endpoint-uri",
		Blurb: "Endpoint in place of AWS's own, such as http://127.0.0.1:4567",
		Field: func(s *Settings) any { return &s.EndpointURI },
	},
	{
		Name:  "access-key",
		Blurb: "AWS access key (unset: AWS's chain: environment, profile, SSO, web identity, container, machine role)",
		Field: func(s *Settings) any { return &s.AccessKey },
	},
	{
		Name:  "secret-access-key",
		Blurb: "AWS secret access key; never readable",
		Field: func(s *Settings) any { return &s.SecretAccessKey }, Flags: gst.WriteOnly,
	},
	{
		Name:  "session-token",
		Blurb: "Session token of temporary credentials; never readable",
		Field: func(s *Settings) any { return &s.SessionToken }, Flags: gst.WriteOnly,
	},
	{
		Name: "credential-path",
		Blurb: "File with credentials that another program renews, as kvssink reads it: a line CREDENTIALS accessKey secretKey, or " +
			"CREDENTIALS accessKey expiration secretKey sessionToken",
		Field: func(s *Settings) any { return &s.CredentialPath },
	},
	{
		Name: "iot-certificate",
		Blurb: "Credentials of AWS IoT for a device's certificate, as kvssink has it: iot-certificate,endpoint=HOST,cert-path=PEM,key-path=PEM,role-aliases=ALIAS; " +
			"besides ca-path, iot-thing-name (unset: the stream's name), connection-timeout and completion-timeout in s (3 and 5)",
		Field: func(s *Settings) any { return &s.IoTCertificate },
	},
	{
		Name:  "profile",
		Blurb: "Profile in the AWS configuration files",
		Field: func(s *Settings) any { return &s.Profile },
	},
	{
		Name:  "role-arn",
		Blurb: "ARN of a role to assume",
		Field: func(s *Settings) any { return &s.RoleARN },
	},
	{
		Name:  "external-id",
		Blurb: "External ID that the role's trust policy asks for",
		Field: func(s *Settings) any { return &s.ExternalID },
	},
	{
		Name:  "role-session-name",
		Blurb: "Name of the session with role-arn, as CloudTrail shows it (unset: gst-kinesis)",
		Field: func(s *Settings) any { return &s.RoleSessionName },
	},
	{
		Name:  "use-dual-stack",
		Blurb: "Use AWS's endpoints that have IPv6 too (false = what AWS_USE_DUALSTACK_ENDPOINT or the profile says)",
		Field: func(s *Settings) any { return &s.UseDualStack },
	},
	{
		Name:  "use-fips",
		Blurb: "Use AWS's FIPS 140 endpoints (false = what AWS_USE_FIPS_ENDPOINT or the profile says)",
		Field: func(s *Settings) any { return &s.UseFIPS },
	},
	{
		Name:  "account-id-endpoint-mode",
		Blurb: "Endpoints with the account's number: preferred, disabled (for private DNS and lists of allowed hosts) or required (unset: what AWS_ACCOUNT_ID_ENDPOINT_MODE or the profile says)",
		Field: func(s *Settings) any { return &s.AccountIDEndpointMode },
	},
	{
		Name:  "wire",
		Blurb: "How records travel: CBOR takes a quarter less bandwidth than JSON and a fraction of the work",
		Field: func(s *Settings) any { return &s.Wire }, EnumName: "GstKinesisWire", Values: wires,
	},
	{
		Name:  "ca-file",
		Blurb: "PEM file with certificates to trust beside the system's",
		Field: func(s *Settings) any { return &s.CAFile },
	},
	{
		Name:  "proxy",
		Blurb: "Proxy as http://USER:PASSWORD@HOST:PORT, https:// or socks5:// (unset: HTTPS_PROXY and NO_PROXY; none: directly); never readable",
		Field: func(s *Settings) any { return &s.Proxy }, Flags: gst.WriteOnly,
	},
	{
		Name:  "check",
		Blurb: "Whether it is asked at the start if records may be written. An endpoint-uri that does not know DryRun stores one record of key gst-kinesis-check",
		Field: func(s *Settings) any { return &s.Check }, EnumName: "GstKinesisCheck", Values: checks,
	},
	{
		Name:  "request-timeout",
		Blurb: "Time in ms that the service may take for a request (-1 = no bound but an hour)",
		Field: func(s *Settings) any { return &s.RequestTimeout }, Min: -1, Max: 3600 * 1000,
	},
	{
		Name:  "retry-attempts",
		Blurb: "How often a record is sent again before it is dropped (-1 = for ever)",
		Field: func(s *Settings) any { return &s.RetryAttempts }, Min: -1,
	},
}

// Durations are bounded where a time.Duration is.
var queueProperties = []property{
	{
		Name:  "ordering",
		Blurb: "What is promised about the order of a partition key's records",
		Field: func(s *Settings) any { return &s.Ordering }, EnumName: "GstKinesisOrdering", Values: orderings,
	},
	{
		Name:  "oversize",
		Blurb: "What happens to a buffer that is larger than max-record-size",
		Field: func(s *Settings) any { return &s.Oversize }, EnumName: "GstKinesisOversize", Values: oversizes,
	},
	{
		Name:  "compression",
		Blurb: "How each record is compressed; only readers of gst-kinesis take that apart",
		Field: func(s *Settings) any { return &s.Compression }, EnumName: "GstKinesisCompression", Values: compressions,
	},
	{
		Name:  "aggregation",
		Blurb: "How several buffers become one record of Kinesis', which costs less where they are small",
		Field: func(s *Settings) any { return &s.Aggregation }, EnumName: "GstKinesisAggregation", Values: aggregations,
	},
	{
		Name:  "aggregate-max-size",
		Blurb: "Largest aggregate in bytes, data and key; a provisioned stream is paid in units of 25 KB",
		Field: func(s *Settings) any { return &s.AggregateMaxSize }, Min: 1, Max: shard.MaxMaxRecordBytes,
	},
	{
		Name:  "aggregate-max-count",
		Blurb: "Most buffers in an aggregate; Firehose takes 500",
		Field: func(s *Settings) any { return &s.AggregateMaxCount }, Min: 1, Max: 1 << 20,
	},
	{
		Name:  "rate-limit",
		Blurb: "How much of each shard's limits (1000 records and 1 MiB a second) is used, where kinesis:ListShards is allowed: auto, off, or a percentage such as 50",
		Field: func(s *Settings) any { return &s.RateLimit },
	},
	{
		Name:  "max-bandwidth",
		Blurb: "Most bits per second on the wire, on the average (0 = no bound)",
		Field: func(s *Settings) any { return &s.MaxBandwidth }, Max: uint64(math.MaxInt64), Flags: gst.MutablePlaying,
	},
	{
		Name:  "bandwidth-group",
		Blurb: "Name of a link that elements of this process share: the least max-bandwidth of those that name it holds for all together (unset: a link of its own)",
		Field: func(s *Settings) any { return &s.BandwidthGroup },
	},
	{
		Name:  "priority",
		Blurb: "Who goes first where max-bandwidth is not enough for all of the bandwidth-group: the higher one, but live data always before backlog",
		Field: func(s *Settings) any { return &s.Priority }, Min: -100, Max: 100, Flags: gst.MutablePlaying,
	},
	{
		Name:  "linger",
		Blurb: "Time in ns that a record waits for others to share a request with (0 = send at once)",
		Field: func(s *Settings) any { return &s.Linger }, Max: uint64(time.Minute),
	},
	{
		Name:  "max-in-flight",
		Blurb: "Most requests at a time",
		Field: func(s *Settings) any { return &s.MaxInFlight }, Min: 1, Max: 256,
	},
	{
		Name:  "max-size-bytes",
		Blurb: "Memory in bytes for records that wait or are in flight (0 = no bound)",
		Field: func(s *Settings) any { return &s.MaxSizeBytes }, Max: uint64(math.MaxInt64),
	},
	{
		Name:  "max-size-buffers",
		Blurb: "Number of records that may wait or be in flight (0 = no bound)",
		Field: func(s *Settings) any { return &s.MaxSizeBuffers }, Max: math.MaxInt32,
	},
	{
		Name:  "max-size-time",
		Blurb: "Time span in ns, by timestamps, of records that may wait or be in flight (0 = no bound)",
		Field: func(s *Settings) any { return &s.MaxSizeTime }, Max: uint64(math.MaxInt64),
	},
	{
		Name:  "leaky",
		Blurb: "What happens when a bound is reached",
		Field: func(s *Settings) any { return &s.Leaky }, EnumName: "GstKinesisLeaky", Values: leakies,
	},
	{
		Name:  "max-record-size",
		Blurb: "Largest record in bytes, data and key, that the stream takes; see oversize for larger ones (0 = as the stream says where kinesis:DescribeStreamSummary is allowed, else 1 MiB)",
		Field: func(s *Settings) any { return &s.MaxRecordSize }, Max: shard.MaxMaxRecordBytes,
	},
	{
		Name:  "record-ttl",
		Blurb: "Age in ns at which a record that was not delivered is dropped (0 = never)",
		Field: func(s *Settings) any { return &s.RecordTTL }, Max: uint64(math.MaxInt64),
	},
	{
		Name:  "start-timeout",
		Blurb: "Time in ns within which the first record must be delivered, else the element fails (0 = no bound)",
		Field: func(s *Settings) any { return &s.StartTimeout }, Max: uint64(math.MaxInt64),
	},
	{
		Name:  "permanent-grace",
		Blurb: "Time in ns that an error which does not go away by itself is borne once the stream has worked",
		Field: func(s *Settings) any { return &s.PermanentGrace }, Max: uint64(math.MaxInt64),
	},
	{
		Name:  "dead-letter",
		Blurb: "Where what can never be delivered is written down, for gst-kinesis redrive: file:DIR, kinesis://REGION/STREAM or s3://BUCKET/PREFIX (unset: it is dropped)",
		Field: func(s *Settings) any { return &s.DeadLetter },
	},
	{
		Name:  "spool-directory",
		Blurb: "Folder in which buffers are kept until they are delivered, over outages and restarts; one element's alone (unset: in memory only)",
		Field: func(s *Settings) any { return &s.SpoolDirectory },
	},
	{
		Name:  "spool-max-bytes",
		Blurb: "Most bytes on disk in spool-directory; then leaky says what happens",
		Field: func(s *Settings) any { return &s.SpoolMaxBytes }, Min: uint64(shard.MiB), Max: uint64(math.MaxInt64),
	},
	{
		Name:  "spool-max-age",
		Blurb: "Age in ns at which what is in spool-directory is dropped (0 = never)",
		Field: func(s *Settings) any { return &s.SpoolMaxAge }, Max: uint64(math.MaxInt64),
	},
	{
		Name:  "spool-sync",
		Blurb: "When what is in spool-directory is forced to the disk",
		Field: func(s *Settings) any { return &s.SpoolSync }, EnumName: "GstKinesisSpoolSync", Values: spoolSyncs,
	},
	{
		Name:  "metrics-address",
		Blurb: "Address HOST:PORT, such as 127.0.0.1:9464, where Prometheus is answered at /metrics; sinks of a process that name the same one share it (unset: nowhere)",
		Field: func(s *Settings) any { return &s.MetricsAddress },
	},
	{
		Name:  "metrics-emf",
		Blurb: "File to which lines in CloudWatch's embedded metric format are appended (unset: none)",
		Field: func(s *Settings) any { return &s.MetricsEMF },
	},
	{
		Name:  "metrics-interval",
		Blurb: "Time in ms between lines in metrics-emf",
		Field: func(s *Settings) any { return &s.MetricsInterval }, Min: uint32(metrics.LeastInterval.Milliseconds()), Max: uint32(24 * time.Hour / time.Millisecond),
	},
	{
		Name:  "drain-timeout",
		Blurb: "Time in ns that the end of the stream waits for what is left; then it is dropped, counted",
		Field: func(s *Settings) any { return &s.DrainTimeout }, Max: uint64(math.MaxInt64),
	},
	{
		Name:  "stop-timeout",
		Blurb: "Time in ns that a stop without an end of stream waits for what is left; then it is dropped, counted",
		Field: func(s *Settings) any { return &s.StopTimeout }, Max: uint64(math.MaxInt64),
	},
}
