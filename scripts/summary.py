"""Sums up the output of `go test -json`: what failed, with its output, and how many tests passed, failed and were skipped."""
import collections
import json
import sys

output = collections.defaultdict(list)
result = {}
built = []
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    try:
        event = json.loads(line)
    except ValueError:
        built.append(line)
        continue
    key = (event.get("Package") or event.get("ImportPath", ""), event.get("Test", ""))
    action = event.get("Action")
    if action in ("output", "build-output"):
        output[key].append(event["Output"])
    elif action in ("pass", "fail", "skip", "build-fail"):
        result[key] = action

failed = [k for k, r in result.items() if r in ("fail", "build-fail")]
skipped = [k for k, r in result.items() if r == "skip" and k[1]]
for key in failed:
    print("--- FAILED:", *key)
    print("".join(output[key])[-8000:])
for key in skipped:
    print("--- SKIPPED:", *key)
    print("".join(output[key])[-600:])
print("".join(built), end="")
tests = collections.Counter(r for (_, test), r in result.items() if test)
packages = collections.Counter(r for (_, test), r in result.items() if not test)
print(f"{tests['pass']} tests passed, {tests['fail']} failed, {tests['skip']} skipped; "
      f"{packages['pass']} packages passed, {packages['fail'] + packages['build-fail']} failed")
sys.exit(1 if failed or skipped else 0)
