"""The judge of gzip bodies: Python's own gzip module.

Reads one job a line from stdin and answers each with a line:
  open BASE64 -> what the body decompresses to, in base64
  make BASE64 -> a body of it, compressed, in base64
"""
import base64
import gzip
import sys

for line in sys.stdin:
    job, text = line.split()
    data = base64.b64decode(text)
    data = gzip.decompress(data) if job == "open" else gzip.compress(data)
    print(base64.b64encode(data).decode())
