package kinesisvideosink

import (
	"math"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/stamp"
)

func enum(nick, name string, value int) gst.EnumValue {
	return gst.EnumValue{Nick: nick, Name: name, Value: int32(value)} //nolint:gosec // small
}

var (
	streamingTypes = []gst.EnumValue{
		enum(realtime, "streaming type realtime", 0),
		enum(nearRealtime, "streaming type near realtime", 1),
		enum(offline, "streaming type offline: for files, upstream is blocked when more comes than is sent", 2),
	}
	outages = []gst.EnumValue{
		enum(putmedia.DropOldest.String(), "Drop the oldest fragments, counted", int(putmedia.DropOldest)),
		enum(putmedia.DropNewest.String(), "Drop what comes up to the next key frame for which there is room, counted", int(putmedia.DropNewest)),
		enum(putmedia.Block.String(), "Block upstream: for files; a live source would lose data without counting it", int(putmedia.Block)),
	}
	engines = []gst.EnumValue{
		enum(engineNative, "gst-kinesis' own", 0),
		enum(engineSDK, "AWS's producer SDK for C, in builds that have it", 1),
	}
	timestampSources = []gst.EnumValue{
		enum(stamp.Auto.String(), "The camera's clock where frames bear it and it is set, else the pipeline's", int(stamp.Auto)),
		enum(stamp.Reference.String(), "The camera's clock (GstReferenceTimestampMeta), before it is known the pipeline's", int(stamp.Reference)),
		enum(stamp.Clock.String(), "The pipeline's clock: the wall clock at the first frame, and running time from there", int(stamp.Clock)),
		enum(stamp.Arrival.String(), "When each frame comes: for streams without timestamps", int(stamp.Arrival)),
		enum(sourceOriginal, "The timestamps as they are, which must be ns since 1970", 4),
	}
	spoolSyncs = []gst.EnumValue{
		enum(spool.SyncInterval.String(), "Once a second: a loss of power costs that much", 0),
		enum(spool.SyncAlways.String(), "Before a buffer counts as accepted: a loss of power costs nothing", 1),
		enum(spool.SyncNone.String(), "When the system does it", 2),
	}
)

type property = gst.Property[Settings]

// The GType names differ from kvssink's, which may be loaded beside.
var properties = &gst.Properties[Settings]{Defaults: defaults, List: all()}

func all() []property {
	var list []property
	for _, part := range [][]property{streamProperties(), mediaProperties(), awsList(), outageProperties(), ownProperties(), ignoredProperties()} {
		list = append(list, part...)
	}
	return append(list, property{
		Name: "stats", Blurb: "The books and figures of the stream: frames and bytes accepted, persisted, dropped by reason, skipped by error id, in flight",
		Field: func(*Settings) any { return new(*gst.Structure) }, Flags: gst.ReadOnly,
	})
}

func streamProperties() []property {
	return []property{
		{Name: "stream-name", Blurb: "Name of the video stream", Field: func(s *Settings) any { return &s.StreamName }},
		{Name: "allow-create-stream", Blurb: "Create the stream where it is missing", Field: func(s *Settings) any { return &s.AllowCreate }},
		{Name: "retention-period", Blurb: "Hours that a stream keeps media which is created here (0 = it keeps none)", Field: func(s *Settings) any { return &s.RetentionPeriod }, Max: 87600},
		{Name: "stream-tags", Blurb: "Tags for the stream, as stream-tags,NAME=VALUE,NAME=VALUE", Field: func(s *Settings) any { return &s.StreamTags }},
		{Name: "kms-key-id", Blurb: "KMS key of a stream which is created here (unset: AWS's own)", Field: func(s *Settings) any { return &s.KMSKeyID }},
		{Name: "content-type", Blurb: "Media type of a stream which is created here (unset: as what is linked has it)", Field: func(s *Settings) any { return &s.ContentType }},
		{Name: "engine", Blurb: "Who speaks to the service", Field: func(s *Settings) any { return &s.Engine }, EnumName: "GstKinesisVideoEngine", Values: engines},
	}
}

func mediaProperties() []property {
	return []property{
		{Name: "streaming-type", Blurb: "Whether what comes is live or a file", Field: func(s *Settings) any { return &s.StreamingType },
			EnumName: "GstKinesisVideoStreamingType", Values: streamingTypes},
		{Name: "key-frame-fragmentation", Blurb: "Begin a fragment with each key frame that is 1 s or more after the last; audio alone goes by fragment-duration",
			Field: func(s *Settings) any { return &s.KeyFrameFragments }},
		{Name: "fragment-duration", Blurb: "Least time in ms of a fragment without key-frame-fragmentation", Field: func(s *Settings) any { return &s.FragmentDuration },
			Min: uint64(putmedia.MinFragment.Milliseconds()), Max: uint64(putmedia.MaxFragment.Milliseconds())},
		{Name: "absolute-fragment-times", Blurb: "Send times since 1970, else since the beginning of the connection; readers see the same",
			Field: func(s *Settings) any { return &s.AbsoluteTimes }},
		{Name: "fragment-acks", Blurb: "Ask for acknowledgements. Without them a fragment counts as stored when it was sent", Field: func(s *Settings) any { return &s.Acks }},
		{Name: "track-name", Blurb: "Name of the video track", Field: func(s *Settings) any { return &s.TrackName }},
		{Name: "codec-id", Blurb: "Codec id of H.264; of other codecs the caps decide", Field: func(s *Settings) any { return &s.CodecID }},
		{Name: "timestamp-source", Blurb: "Which clock says when a frame was taken", Field: func(s *Settings) any { return &s.TimestampSource },
			EnumName: "GstKinesisVideoTimestampSource", Values: timestampSources},
		{Name: "use-original-pts", Blurb: "The same as timestamp-source=original", Field: func(s *Settings) any { return &s.UseOriginalPTS }},
		{Name: "file-start-time", Blurb: "Time in s since 1970 of the first frame with streaming-type=offline (0 = now)",
			Field: func(s *Settings) any { return &s.FileStartTime }, Max: uint64(math.MaxInt64 / time.Second)},
		{Name: "disable-buffer-clipping", Blurb: "Send buffers that lie outside their segment too", Field: func(s *Settings) any { return &s.DisableClipping }},
		{Name: "interleave-wait", Blurb: "Time in ns that a frame of a live source waits for the other track beyond the latency of what is upstream, so that both are sent in order of time",
			Field: func(s *Settings) any { return &s.InterleaveWait }, Max: uint64(10 * time.Second)},
	}
}

func awsList() []property {
	return []property{
		{Name: "aws-region", Blurb: "AWS region; AWS_DEFAULT_REGION comes before it (unset: AWS_REGION, the profile's, else us-west-2)", Field: func(s *Settings) any { return &s.AWS.Region }},
		{Name: "endpoint-uri", Blurb: "Endpoint in place of AWS's own, such as http://127.0.0.1:4567 (unset: CONTROL_PLANE_URI)", Field: func(s *Settings) any { return &s.AWS.EndpointURI }},
		{Name: "access-key", Blurb: "AWS access key (unset: the environment, credential-path, AWS's chain)", Field: func(s *Settings) any { return &s.AWS.AccessKey }},
		{Name: "secret-key", Blurb: "AWS secret access key; never readable", Field: func(s *Settings) any { return &s.AWS.SecretKey }, Flags: gst.WriteOnly},
		{Name: "session-token", Blurb: "Session token of temporary credentials; never readable", Field: func(s *Settings) any { return &s.AWS.SessionToken }, Flags: gst.WriteOnly},
		{Name: "credential-path", Blurb: "File with credentials that another program renews; used where it exists and neither properties nor environment have any",
			Field: func(s *Settings) any { return &s.AWS.CredentialPath }},
		{Name: "iot-certificate", Blurb: "Credentials of AWS IoT for a device's certificate: iot-certificate,endpoint=HOST,cert-path=PEM,key-path=PEM,ca-path=PEM,role-aliases=ALIAS; besides iot-thing-name (unset: the stream's name)",
			Field: func(s *Settings) any { return &s.AWS.IoTCertificate }},
		{Name: "profile", Blurb: "Profile in the AWS configuration files", Field: func(s *Settings) any { return &s.AWS.Profile }},
		{Name: "role-arn", Blurb: "ARN of a role to assume", Field: func(s *Settings) any { return &s.AWS.RoleARN }},
		{Name: "external-id", Blurb: "External ID that the role's trust policy asks for", Field: func(s *Settings) any { return &s.AWS.ExternalID }},
		{Name: "ca-file", Blurb: "PEM file with certificates to trust beside the system's (unset: KVSSINK_CA_CERT_PATH)", Field: func(s *Settings) any { return &s.AWS.CAFile }},
		{Name: "proxy", Blurb: "Proxy as http://USER:PASSWORD@HOST:PORT, https:// or socks5:// (unset: HTTPS_PROXY and NO_PROXY; none: directly); never readable",
			Field: func(s *Settings) any { return &s.AWS.Proxy }, Flags: gst.WriteOnly},
		{Name: "user-agent", Blurb: "User agent of PutMedia (unset: that of gst-kinesis)", Field: func(s *Settings) any { return &s.AWS.UserAgent }},
		{Name: "connection-timeout", Blurb: "Time in s for a connection to the service", Field: func(s *Settings) any { return &s.ConnectTimeout }, Min: 1, Max: 3600},
		{Name: "completion-timeout", Blurb: "Time in s for a call of the control plane, and for the end of a session", Field: func(s *Settings) any { return &s.CompletionTimeout }, Min: 1, Max: 3600},
		{Name: "rotation-period", Blurb: "Time in s after which a connection is replaced at a fragment's boundary; the service ends one after 45 minutes or more",
			Field: func(s *Settings) any { return &s.RotationPeriod }, Min: 1, Max: 86400},
		{Name: "connection-staleness", Blurb: "Time in s without an acknowledgement that is due, after which a connection is opened anew", Field: func(s *Settings) any { return &s.Staleness }, Min: 1, Max: 86400},
		{Name: "max-latency", Blurb: "Age in s of what waits to be sent, at which a connection that seems to work is opened anew", Field: func(s *Settings) any { return &s.MaxLatency }, Min: 1, Max: 86400},
	}
}

func outageProperties() []property {
	return []property{
		{Name: "storage-size", Blurb: "Memory in MiB for frames that are not stored by the service yet", Field: func(s *Settings) any { return &s.StorageSize }, Min: 1, Max: 1 << 20},
		{Name: "outage", Blurb: "What happens when no more fits into storage-size, or spool-max-bytes; streaming-type=offline always blocks",
			Field: func(s *Settings) any { return &s.Outage }, EnumName: "GstKinesisVideoOutage", Values: outages},
		{Name: "spool-directory", Blurb: "Folder in which frames are kept until the service has stored them, over outages and restarts; one element's alone (unset: in memory only)",
			Field: func(s *Settings) any { return &s.SpoolDirectory }},
		{Name: "spool-max-bytes", Blurb: "Most bytes on disk in spool-directory; then outage says what happens", Field: func(s *Settings) any { return &s.SpoolMaxBytes },
			Min: uint64(1 << 20), Max: uint64(math.MaxInt64)},
		{Name: "spool-max-age", Blurb: "Age in ns at which what is in spool-directory is dropped (0 = never)", Field: func(s *Settings) any { return &s.SpoolMaxAge }, Max: uint64(math.MaxInt64)},
		{Name: "spool-sync", Blurb: "When what is in spool-directory is forced to the disk", Field: func(s *Settings) any { return &s.SpoolSync },
			EnumName: "GstKinesisVideoSpoolSync", Values: spoolSyncs},
		{Name: "start-timeout", Blurb: "Time in ns within which the first fragment must be acknowledged after the first frame, else the element fails (0 = no bound)",
			Field: func(s *Settings) any { return &s.StartTimeout }, Max: uint64(math.MaxInt64)},
		{Name: "permanent-grace", Blurb: "Time in ns that an error which does not go away by itself is borne once the stream has worked",
			Field: func(s *Settings) any { return &s.Grace }, Max: uint64(math.MaxInt64)},
		{Name: "stop-stream-timeout", Blurb: "Time in s that the end of the stream, or a stop without one, waits for what is left; then it is dropped, counted, or stays in spool-directory",
			Field: func(s *Settings) any { return &s.StopTimeout }, Max: 86400},
	}
}

func ownProperties() []property {
	return []property{
		{Name: "max-bandwidth", Blurb: "Most bits per second on the wire, on the average (0 = no bound)", Field: func(s *Settings) any { return &s.MaxBandwidth },
			Max: uint64(math.MaxInt64), Flags: gst.MutablePlaying},
		{Name: "bandwidth-group", Blurb: "Name of a link that elements of this process share: the least max-bandwidth of those that name it holds for all together (unset: a link of its own)",
			Field: func(s *Settings) any { return &s.BandwidthGroup }},
		{Name: "priority", Blurb: "Who goes first where max-bandwidth is not enough for all of the bandwidth-group: the higher one, but live data always before backlog",
			Field: func(s *Settings) any { return &s.Priority }, Min: -100, Max: 100, Flags: gst.MutablePlaying},
		{Name: "metrics-address", Blurb: "Address HOST:PORT, such as 127.0.0.1:9464, where Prometheus is answered at /metrics; sinks of a process that name the same one share it (unset: nowhere)",
			Field: func(s *Settings) any { return &s.MetricsAddress }},
		{Name: "metrics-emf", Blurb: "File to which lines in CloudWatch's embedded metric format are appended (unset: none)", Field: func(s *Settings) any { return &s.MetricsEMF }},
		{Name: "metrics-interval", Blurb: "Time in ms between lines in metrics-emf", Field: func(s *Settings) any { return &s.MetricsInterval },
			Min: uint32(metrics.LeastInterval.Milliseconds()), Max: uint32(24 * time.Hour / time.Millisecond)},
	}
}

// ignoredProperties are taken so that a launch line for kvssink works.
func ignoredProperties() []property {
	return []property{
		{Name: "buffer-duration", Blurb: "Of kvssink: time in s that engine=sdk keeps frames at most; ignored by engine=native, where storage-size bounds what is kept", Field: func(s *Settings) any { return &s.Ignored.BufferDuration }},
		{Name: "replay-duration", Blurb: "Of kvssink: time in s that engine=sdk goes back at most; ignored by engine=native, which sends again what is not acknowledged, all of it and no more", Field: func(s *Settings) any { return &s.Ignored.ReplayDuration }},
		{Name: "timecode-scale", Blurb: "Of kvssink, ignored: times are sent in ms", Field: func(s *Settings) any { return &s.Ignored.TimecodeScale }},
		{Name: "frame-timecodes", Blurb: "Of kvssink, ignored: frames have the times of their buffers", Field: func(s *Settings) any { return &s.Ignored.FrameTimecodes }},
		{Name: "restart-on-error", Blurb: "Of kvssink, ignored: what can be mended is tried again always", Field: func(s *Settings) any { return &s.Ignored.RestartOnError }},
		{Name: "recalculate-metrics", Blurb: "Of kvssink, ignored: stats are always there", Field: func(s *Settings) any { return &s.Ignored.RecalculateMetrics }},
		{Name: "framerate", Blurb: "Of kvssink: engine=sdk sizes its index by it; ignored by engine=native", Field: func(s *Settings) any { return &s.Ignored.Framerate }},
		{Name: "avg-bandwidth-bps", Blurb: "Of kvssink: engine=sdk sizes its index by it (bit/s); ignored by engine=native", Field: func(s *Settings) any { return &s.Ignored.AvgBandwidth }},
		{Name: "get-kvs-metrics", Blurb: "Of kvssink, ignored: stats and metrics-address have the figures", Field: func(s *Settings) any { return &s.Ignored.KVSMetrics }},
		{Name: "log-config", Blurb: "Of kvssink, ignored: GST_DEBUG=kinesisvideosink:5 says what is logged", Field: func(s *Settings) any { return &s.Ignored.LogConfig }},
	}
}
