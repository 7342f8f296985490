// Package datastream gives the figures of a producer of a data stream as metrics.
//
// The names are those of the Kinesis Producer Library (amazon-kinesis-producer, metrics.md) where it has the figure: in
// CamelCase for CloudWatch, in Prometheus' manner for Prometheus.
package datastream

import "gst-kinesis/internal/metrics"

// families are all that a producer tells, in the order that they are told in.
type families struct {
	received, receivedBytes, put, putBytes, dropped, droppedBytes  metrics.Family
	refused, deadLettered, deadLetteredBytes, retried, throttled   metrics.Family
	duplicates, kinesis, kinesisBytes, requests, failed, errors    metrics.Family
	buffering, request, delivery, retries                          metrics.Family
	pending, pendingBytes, spooled, spooledBytes, disk, diskErrors metrics.Family
	memory, inFlight, openShards                                   metrics.Family
	wire                                                           metrics.Family
	shardPut, shardPutBytes, shardKinesis, shardKinesisBytes       metrics.Family
	shardErrors, shardRetried, shardThrottled, shardRate           metrics.Family
}

const prefix metrics.Prefix = "gst_kinesis_"

func seconds(name, embedded, help string) metrics.Family {
	return metrics.Family{
		Name: string(prefix) + name + "_seconds", Help: help, Kind: metrics.Histogram, Embedded: embedded, Unit: metrics.Milliseconds, Scale: 1000,
	}
}

func newFamilies() *families {
	f := new(families)
	f.ofRecords()
	f.ofService()
	f.ofLevels()
	f.ofShards()
	return f
}

func (f *families) ofRecords() {
	reason := metrics.Label{Name: "reason", Dimension: "Reason"}
	f.received = prefix.Counter("user_records_received", "UserRecordsReceived", metrics.Count, "Records accepted from upstream, and those that an earlier run left in the spool.")
	f.receivedBytes = prefix.Counter("user_data_received_bytes", "UserRecordsDataReceived", metrics.Bytes, "Data of the records accepted.")
	f.put = prefix.Counter("user_records_put", "UserRecordsPut", metrics.Count, "Records that the service took.")
	f.putBytes = prefix.Counter("user_data_put_bytes", "UserRecordsDataPut", metrics.Bytes, "Data of the records that the service took.")
	f.dropped = prefix.Counter("user_records_dropped", "UserRecordsDropped", metrics.Count, "Records given up, by reason: lost.", reason).Summed("UserRecordsDropped")
	f.droppedBytes = prefix.Counter("user_data_dropped_bytes", "", metrics.Bytes, "Data of the records given up, by reason.", reason)
	f.refused = prefix.Counter("user_records_refused", "UserRecordsRefused", metrics.Count, "Records refused with an error, which were never accepted.")
	f.deadLettered = prefix.Counter("user_records_dead_lettered", "UserRecordsDeadLettered", metrics.Count, "Records written down as dead letters.")
	f.deadLetteredBytes = prefix.Counter("user_data_dead_lettered_bytes", "", metrics.Bytes, "Data of the records written down as dead letters.")
	f.retried = prefix.Counter("user_records_retried", "UserRecordsRetried", metrics.Count, "Records put back to be sent again, each time.")
	f.throttled = prefix.Counter("user_records_throttled", "UserRecordsThrottled", metrics.Count, "Records refused for a shard's limits, each time.")
	f.duplicates = prefix.Counter("possible_duplicates", "PossibleDuplicates", metrics.Count, "Records sent again after an answer that did not come.")
}

func (f *families) ofService() {
	f.kinesis = prefix.Counter("kinesis_records_put", "KinesisRecordsPut", metrics.Count, "Records as the service counts them: an aggregate is one.")
	f.kinesisBytes = prefix.Counter("kinesis_data_put_bytes", "KinesisRecordsDataPut", metrics.Bytes, "Data and partition keys of these.")
	f.requests = prefix.Counter("requests", "Requests", metrics.Count, "Calls of PutRecords.")
	f.failed = prefix.Counter("requests_failed", "RequestsFailed", metrics.Count, "Calls of PutRecords that failed as a whole.")
	f.errors = prefix.Counter("errors", "ErrorsByCode", metrics.Count, "Kinesis records that were not taken, each time, by error code.",
		metrics.Label{Name: "code", Dimension: "ErrorCode"}).Summed("AllErrors")
	f.buffering = seconds("buffering_time", "BufferingTime", "Time from a record's acceptance to when it is sent for the first time.")
	f.request = seconds("request_time", "RequestTime", "Time that answered calls of PutRecords took.")
	f.delivery = seconds("delivery_time", "DeliveryTime", "Time from a record's acceptance to the answer that took it.")
	f.retries = metrics.Family{
		Name: string(prefix) + "retries_per_record", Help: "How often a record was sent again until it was taken.", Kind: metrics.Histogram,
		Embedded: "RetriesPerRecord", Unit: metrics.Count,
	}
}

func (f *families) ofLevels() {
	f.pending = prefix.Gauge("user_records_pending", "UserRecordsPending", metrics.Count, "Records in memory that wait or are being sent.")
	f.pendingBytes = prefix.Gauge("user_data_pending_bytes", "UserRecordsDataPending", metrics.Bytes, "Data of the records in memory.")
	f.spooled = prefix.Gauge("user_records_spooled", "UserRecordsSpooled", metrics.Count, "Records on disk that are not in memory.")
	f.spooledBytes = prefix.Gauge("user_data_spooled_bytes", "UserRecordsDataSpooled", metrics.Bytes, "Data of the records on disk that are not in memory.")
	f.disk = prefix.Gauge("spool_disk_bytes", "SpoolBytes", metrics.Bytes, "What the files of the spool take. Only with a spool.")
	f.diskErrors = prefix.Counter("spool_disk_errors", "SpoolDiskErrors", metrics.Count, "How often the disk of the spool failed. Only with a spool.")
	f.memory = prefix.Gauge("memory_bytes", "MemoryBytes", metrics.Bytes, "Memory for records, in use and kept for use again.")
	f.inFlight = prefix.Gauge("requests_in_flight", "RequestsInFlight", metrics.Count, "Calls of PutRecords that wait for an answer.")
	f.wire = prefix.Counter("wire_bytes", "WireBytes", metrics.Bytes, "Bytes written to connections, TLS and HTTP included.")
	f.openShards = prefix.Gauge("shards_open", "ShardsOpen", metrics.Count, "Open shards of the stream. Only where they may be listed.")
}

func (f *families) ofShards() {
	shard := metrics.Label{Name: "shard", Dimension: "ShardId"}
	f.shardPut = prefix.Counter("shard_user_records_put", "UserRecordsPut", metrics.Count, "Records that the shard took.", shard)
	f.shardPutBytes = prefix.Counter("shard_user_data_put_bytes", "UserRecordsDataPut", metrics.Bytes, "Data of the records that the shard took.", shard)
	f.shardKinesis = prefix.Counter("shard_kinesis_records_put", "KinesisRecordsPut", metrics.Count, "Records that the shard took, as the service counts them.", shard)
	f.shardKinesisBytes = prefix.Counter("shard_kinesis_data_put_bytes", "KinesisRecordsDataPut", metrics.Bytes, "Data and partition keys of these.", shard)
	f.shardErrors = prefix.Counter("shard_errors", "ErrorsByCode", metrics.Count,
		"Kinesis records that the shard refused, each time, by error code. What failed with a whole request is no shard's.", shard, metrics.Label{Name: "code", Dimension: "ErrorCode"})
	f.shardRetried = prefix.Counter("shard_user_records_retried", "UserRecordsRetried", metrics.Count, "Records for the shard put back to be sent again, each time.", shard)
	f.shardThrottled = prefix.Counter("shard_user_records_throttled", "UserRecordsThrottled", metrics.Count, "Records refused for the shard's limits, each time.", shard)
	f.shardRate = prefix.Gauge("shard_rate_limit_ratio", "RateLimit", metrics.None,
		"Part of the shard's limits (1000 records and 1 MiB a second) that may be used now: rate-limit, less what throttling took away.", shard)
}

// all are the families in their order.
func (f *families) all() []*metrics.Family {
	return []*metrics.Family{
		&f.received, &f.receivedBytes, &f.put, &f.putBytes, &f.dropped, &f.droppedBytes, &f.refused, &f.deadLettered, &f.deadLetteredBytes,
		&f.retried, &f.throttled, &f.duplicates, &f.kinesis, &f.kinesisBytes, &f.requests, &f.failed, &f.errors, &f.buffering, &f.request, &f.delivery,
		&f.retries, &f.pending, &f.pendingBytes, &f.spooled, &f.spooledBytes, &f.disk, &f.diskErrors, &f.memory, &f.inFlight, &f.openShards, &f.wire,
		&f.shardPut, &f.shardPutBytes, &f.shardKinesis, &f.shardKinesisBytes, &f.shardErrors, &f.shardRetried, &f.shardThrottled, &f.shardRate,
	}
}
