// Package videostream gives the figures of a producer of a video stream as metrics.
package videostream

import "gst-kinesis/internal/metrics"

// families are all that a producer tells, in the order that they are told in.
type families struct {
	received, receivedBytes, persisted, persistedBytes, dropped, droppedBytes, skipped metrics.Family
	fragments, fragmentsSkipped, resent, duplicates, acks, sessions, sessionsFailed    metrics.Family
	pending, pendingBytes, spooled, spooledBytes, memory, waiting, connected, latency  metrics.Family
	wire                                                                               metrics.Family
}

const prefix metrics.Prefix = "gst_kinesis_video_"

func newFamilies() *families {
	f := new(families)
	f.ofFrames()
	f.ofService()
	f.ofLevels()
	return f
}

func (f *families) ofFrames() {
	reason := metrics.Label{Name: "reason", Dimension: "Reason"}
	f.received = prefix.Counter("frames_received", "FramesReceived", metrics.Count, "Frames accepted from upstream, and those that an earlier run left in the spool.")
	f.receivedBytes = prefix.Counter("received_bytes", "FramesDataReceived", metrics.Bytes, "Data of the frames accepted.")
	f.persisted = prefix.Counter("frames_persisted", "FramesPersisted", metrics.Count, "Frames that the service has stored.")
	f.persistedBytes = prefix.Counter("persisted_bytes", "FramesDataPersisted", metrics.Bytes, "Data of the frames that the service has stored.")
	f.dropped = prefix.Counter("frames_dropped", "FramesDropped", metrics.Count, "Frames given up, by reason: lost.", reason).Summed("FramesDropped")
	f.droppedBytes = prefix.Counter("dropped_bytes", "", metrics.Bytes, "Data of the frames given up, by reason.", reason)
	f.skipped = prefix.Counter("frames_skipped", "FramesSkipped", metrics.Count, "Frames of fragments that the service refused, by its error id: lost.",
		metrics.Label{Name: "error_id", Dimension: "ErrorId"}).Summed("FramesSkipped")
}

func (f *families) ofService() {
	f.fragments = prefix.Counter("fragments_persisted", "FragmentsPersisted", metrics.Count, "Fragments that the service has stored.")
	f.fragmentsSkipped = prefix.Counter("fragments_skipped", "FragmentsSkipped", metrics.Count, "Fragments that the service refused.")
	f.resent = prefix.Counter("fragments_resent", "FragmentsResent", metrics.Count, "Fragments that were begun again in another connection.")
	f.duplicates = prefix.Counter("possible_duplicates", "PossibleDuplicates", metrics.Count, "Fragments sent again after an answer that did not come.")
	f.acks = prefix.Counter("acks", "Acks", metrics.Count, "Acknowledgements of the service, by type.", metrics.Label{Name: "type", Dimension: "Type"})
	f.sessions = prefix.Counter("sessions", "Sessions", metrics.Count, "Calls of PutMedia.")
	f.sessionsFailed = prefix.Counter("sessions_failed", "SessionsFailed", metrics.Count, "Calls of PutMedia that ended otherwise than in good order.")
	f.wire = prefix.Counter("wire_bytes", "WireBytes", metrics.Bytes, "Bytes written to connections.")
}

func (f *families) ofLevels() {
	f.pending = prefix.Gauge("frames_pending", "FramesPending", metrics.Count, "Frames in memory, sent or not, that are not stored yet.")
	f.pendingBytes = prefix.Gauge("pending_bytes", "FramesDataPending", metrics.Bytes, "Data of the frames in memory.")
	f.spooled = prefix.Gauge("frames_spooled", "FramesSpooled", metrics.Count, "Frames on disk that are not in memory.")
	f.spooledBytes = prefix.Gauge("spooled_bytes", "FramesDataSpooled", metrics.Bytes, "Data of the frames on disk that are not in memory.")
	f.memory = prefix.Gauge("memory_bytes", "MemoryBytes", metrics.Bytes, "Memory for frames, of at most storage-size.")
	f.waiting = prefix.Gauge("fragments_waiting", "FragmentsWaiting", metrics.Count, "Fragments in memory.")
	f.connected = prefix.Gauge("connected", "Connected", metrics.None, "1 while a connection is open and answered.")
	f.latency = prefix.Gauge("latency_seconds", "Latency", metrics.Milliseconds, "From the first byte of the last stored fragment to its acknowledgement.")
	f.latency.Scale = 1000
}

// all are the families in their order.
func (f *families) all() []*metrics.Family {
	return []*metrics.Family{
		&f.received, &f.receivedBytes, &f.persisted, &f.persistedBytes, &f.dropped, &f.droppedBytes, &f.skipped, &f.fragments, &f.fragmentsSkipped,
		&f.resent, &f.duplicates, &f.acks, &f.sessions, &f.sessionsFailed, &f.wire, &f.pending, &f.pendingBytes, &f.spooled, &f.spooledBytes,
		&f.memory, &f.waiting, &f.connected, &f.latency,
	}
}
