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

const prefix = "gst_kinesis_video_"

func label(name, dimension string) metrics.Label {
	return metrics.Label{Name: name, Dimension: dimension}
}

func counter(name, embedded string, unit metrics.Unit, help string, labels ...metrics.Label) metrics.Family {
	return metrics.Family{Name: prefix + name + "_total", Help: help, Kind: metrics.Counter, Labels: labels, Embedded: embedded, Unit: unit}
}

func gauge(name, embedded string, unit metrics.Unit, help string) metrics.Family {
	return metrics.Family{Name: prefix + name, Help: help, Kind: metrics.Gauge, Embedded: embedded, Unit: unit}
}

// summed also says the sum over the labels.
func summed(f metrics.Family, name string) metrics.Family {
	f.Sum = name
	return f
}

func newFamilies() *families {
	f := new(families)
	f.ofFrames()
	f.ofService()
	f.ofLevels()
	return f
}

func (f *families) ofFrames() {
	reason := label("reason", "Reason")
	f.received = counter("frames_received", "FramesReceived", metrics.Count, "Frames accepted from upstream, and those that an earlier run left in the spool.")
	f.receivedBytes = counter("received_bytes", "FramesDataReceived", metrics.Bytes, "Data of the frames accepted.")
	f.persisted = counter("frames_persisted", "FramesPersisted", metrics.Count, "Frames that the service has stored.")
	f.persistedBytes = counter("persisted_bytes", "FramesDataPersisted", metrics.Bytes, "Data of the frames that the service has stored.")
	f.dropped = summed(counter("frames_dropped", "FramesDropped", metrics.Count, "Frames given up, by reason: lost.", reason), "FramesDropped")
	f.droppedBytes = counter("dropped_bytes", "", metrics.Bytes, "Data of the frames given up, by reason.", reason)
	f.skipped = summed(counter("frames_skipped", "FramesSkipped", metrics.Count, "Frames of fragments that the service refused, by its error id: lost.",
		label("error_id", "ErrorId")), "FramesSkipped")
}

func (f *families) ofService() {
	f.fragments = counter("fragments_persisted", "FragmentsPersisted", metrics.Count, "Fragments that the service has stored.")
	f.fragmentsSkipped = counter("fragments_skipped", "FragmentsSkipped", metrics.Count, "Fragments that the service refused.")
	f.resent = counter("fragments_resent", "FragmentsResent", metrics.Count, "Fragments that were begun again in another connection.")
	f.duplicates = counter("possible_duplicates", "PossibleDuplicates", metrics.Count, "Fragments sent again after an answer that did not come.")
	f.acks = counter("acks", "Acks", metrics.Count, "Acknowledgements of the service, by type.", label("type", "Type"))
	f.sessions = counter("sessions", "Sessions", metrics.Count, "Calls of PutMedia.")
	f.sessionsFailed = counter("sessions_failed", "SessionsFailed", metrics.Count, "Calls of PutMedia that ended otherwise than in good order.")
	f.wire = counter("wire_bytes", "WireBytes", metrics.Bytes, "Bytes written to connections.")
}

func (f *families) ofLevels() {
	f.pending = gauge("frames_pending", "FramesPending", metrics.Count, "Frames in memory, sent or not, that are not stored yet.")
	f.pendingBytes = gauge("pending_bytes", "FramesDataPending", metrics.Bytes, "Data of the frames in memory.")
	f.spooled = gauge("frames_spooled", "FramesSpooled", metrics.Count, "Frames on disk that are not in memory.")
	f.spooledBytes = gauge("spooled_bytes", "FramesDataSpooled", metrics.Bytes, "Data of the frames on disk that are not in memory.")
	f.memory = gauge("memory_bytes", "MemoryBytes", metrics.Bytes, "Memory for frames, of at most storage-size.")
	f.waiting = gauge("fragments_waiting", "FragmentsWaiting", metrics.Count, "Fragments in memory.")
	f.connected = gauge("connected", "Connected", metrics.None, "1 while a connection is open and answered.")
	f.latency = gauge("latency_seconds", "Latency", metrics.Milliseconds, "From the first byte of the last stored fragment to its acknowledgement.")
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
