"""Reads a stream as its users do, and judges what it finds.

    read.py ENDPOINT STREAM DEVICE

The loop is that of the toolkit's documents: all shards, from the oldest record on, until each is read up. Every record is decoded, by
msgpack or as JSON, and checked: keys, their order, types, values that can be known. Prints one line of JSON a record, in the order read, with the
digest of its payload. Exits with 1 and the reason at the first thing that is not as it should be.
"""

import base64
import hashlib
import json
import sys
import time

import boto3
import msgpack

HEAD = [
    ("data_type", str),
    ("sensor_name", str),
    ("capture_timestamp", float),
    ("creation_timestamp", float),
    ("frame_id", int),
    ("device_name", str),
]
IMAGE = [("image", bytes), ("is_encoded", bool), ("detection_results", type(None)), ("size", list)]
RAW = IMAGE + [("codec", str), ("caps", str)]
BYTES = [("data", bytes), ("codec", str), ("caps", str), ("key_frame", bool)]

endpoint, stream, device = sys.argv[1:]
began = time.time()
client = boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1")


def check(ok, *what):
    if not ok:
        print("NOT AS IT SHOULD BE:", *what, file=sys.stderr)
        sys.exit(1)


def shards():
    """All shards, page by page: those that a split or a merge has closed too."""
    found, more = [], True
    while more:
        page = {"ExclusiveStartShardId": found[-1]["ShardId"]} if found else {}
        answer = client.describe_stream(StreamName=stream, **page)["StreamDescription"]
        check(answer["StreamStatus"] == "ACTIVE", answer)
        found += answer["Shards"]
        more = answer["HasMoreShards"]
    listed = client.list_shards(StreamName=stream)["Shards"]
    check([s["ShardId"] for s in listed] == [s["ShardId"] for s in found], "list_shards", listed)
    return found


def records(shard):
    """What a shard holds: a closed one ends without a next iterator, an open one when it is read up twice."""
    iterator = client.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    empty = 0
    while iterator and empty < 2:
        answer = client.get_records(ShardIterator=iterator, Limit=100)
        yield from answer["Records"]
        empty = 0 if answer["Records"] or answer["MillisBehindLatest"] else empty + 1
        iterator = answer.get("NextShardIterator")


def decode(data):
    if data[:1] == b"{":
        record = json.loads(data)
        check(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() == data.rstrip(b"\n"), "JSON as Python writes it", data[:400])
        for key in ("image", "data"):
            if key in record:
                record[key] = base64.b64decode(record[key], validate=True)
        return "json", record
    record = msgpack.unpackb(data, strict_map_key=True)
    check(msgpack.packb(record, use_bin_type=True) == data, "msgpack as Python packs it")
    return "msgpack", record


def judge(record):
    """The map: keys, order, types, and what is known of the values."""
    kind = record["data_type"]
    if kind == "msight_core.data.image.ImageData":
        want = HEAD + (IMAGE if record["is_encoded"] else RAW)
    else:
        check(kind == "msight_core.data.bytes.BytesData", kind)
        want = HEAD + BYTES
    check(list(record) == [key for key, _ in want], "keys", list(record))
    for key, typ in want:
        check(type(record[key]) is typ, key, type(record[key]))
    check(record["device_name"] == device, record["device_name"])
    check(0 < record["frame_id"] < 2**63, record["frame_id"])
    made, taken = record["creation_timestamp"], record["capture_timestamp"]
    check(began - 300 < taken <= made + 0.5 and made < time.time() + 0.1, "times", taken, made)
    check(abs((record["frame_id"] >> 22) / 1000 - made) < 1, "frame_id begins with its time in ms", record["frame_id"], made)
    if "size" in record:
        check(len(record["size"]) == 3 and all(type(n) is int and n > 0 for n in record["size"]), record["size"])
    return record["image"] if "image" in record else record["data"]


last = {}
for shard in shards():
    low, high = (int(shard["HashKeyRange"][key]) for key in ("StartingHashKey", "EndingHashKey"))
    before = -1
    for r in records(shard):
        number, key = int(r["SequenceNumber"]), r["PartitionKey"]
        check(number > before, "sequence numbers grow", before, number)
        before = number
        check(low <= int(hashlib.md5(key.encode()).hexdigest(), 16) <= high, "a key lies in its shard", key, shard)
        form, record = decode(r["Data"])
        payload = judge(record)
        check(record["frame_id"] > last.get(key, 0), "records of a key are in order", key)
        last[key] = record["frame_id"]
        print(json.dumps({
            "shard": shard["ShardId"], "key": key, "form": form, "bytes": len(r["Data"]), "newline": r["Data"].endswith(b"\n"),
            "sensor": record["sensor_name"], "type": record["data_type"], "frame": record["frame_id"], "captured": record["capture_timestamp"],
            "codec": record.get("codec"), "caps": record.get("caps"), "encoded": record.get("is_encoded"), "size": record.get("size"),
            "digest": hashlib.sha256(payload).hexdigest(), "length": len(payload),
        }))
