"""Reads a stream, whatever its records hold.

    raw.py ENDPOINT STREAM

Prints one line of JSON a record: shard, the shard's range of hash keys, partition key, length and digest of the data; shard by shard, in order.
"""

import hashlib
import json
import sys

import boto3

endpoint, stream = sys.argv[1:]
client = boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1")
for shard in client.list_shards(StreamName=stream)["Shards"]:
    iterator = client.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    empty = 0
    while iterator and empty < 2:
        answer = client.get_records(ShardIterator=iterator, Limit=10)
        for r in answer["Records"]:
            print(json.dumps({
                "shard": shard["ShardId"], "first": shard["HashKeyRange"]["StartingHashKey"], "last": shard["HashKeyRange"]["EndingHashKey"],
                "key": r["PartitionKey"], "length": len(r["Data"]), "digest": hashlib.sha256(r["Data"]).hexdigest(),
            }))
        empty = 0 if answer["Records"] or answer["MillisBehindLatest"] else empty + 1
        iterator = answer.get("NextShardIterator")
