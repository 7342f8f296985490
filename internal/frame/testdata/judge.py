"""Reads records as Python users do and says what it saw.

Input: one JSON list a line, [format, base64 of the record]. Output: one JSON
line for each, the keys in order with type and value, and for msgpack whether
Python's own packer makes the same bytes of it.
"""

import base64
import json
import math
import sys

import msgpack


def show(value):
    kind = type(value).__name__
    if isinstance(value, dict):
        return [kind, [[k, show(v)] for k, v in value.items()]]
    if isinstance(value, (list, tuple)):
        return ["list", [show(v) for v in value]]
    if isinstance(value, bytes):
        return [kind, base64.b64encode(value).decode()]
    if isinstance(value, float):
        return [kind, "nil" if math.isnan(value) else value.hex()]
    if isinstance(value, int) and not isinstance(value, bool):
        return [kind, str(value)]
    return [kind, value]


for line in sys.stdin:
    how, data = json.loads(line)
    data = base64.b64decode(data)
    if how == "msgpack":
        record = msgpack.unpackb(data, raw=False, strict_map_key=True)
        same = msgpack.packb(record, use_bin_type=True) == data
    else:
        record = json.loads(data)
        same = True
    print(json.dumps({"same": same, "record": show(record)}))
