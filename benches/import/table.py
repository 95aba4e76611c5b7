"""The table of benches/import/run: three readers of the same triples, and the ratio that is asked for."""

import json
import os
import platform
import subprocess
import sys
import time

work, scattered = sys.argv[1], json.loads(sys.argv[2])


def lines(name):
    with open(os.path.join(work, name)) as file:
        return [json.loads(line) for line in file]


oxrdfio = lines("oxrdfio.json")
parser = min(run["seconds"] for run in oxrdfio)
triples = oxrdfio[0]["triples"]
pleiad = lines("pleiad.json")[0]
rdflib = lines("rdflib.json")[0]
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
print(f"import, {time.strftime('%F %H:%M', time.gmtime())} UTC, commit {commit}, {os.cpu_count()} cores, {platform.system()}")
print(f"the Belgian portal: {triples:,} triples, {pleiad['read']:,} records, {pleiad['registered']:,} registered\n")
print(f"{'who':<34}{'seconds':>9}{'triples/s':>12}{'peak MiB':>10}{'of oxrdfio':>12}")
rows = [
    ("rdflib, into memory", rdflib["seconds"], rdflib["peak_kib"]),
    ("oxrdfio, reading alone (best of 2)", parser, None),
    ("pleiad, durable and indexed", pleiad["seconds"], pleiad["command_peak_kib"]),
]
for who, seconds, peak in rows:
    memory = f"{peak / 1024:.0f}" if peak else "-"
    print(f"{who:<34}{seconds:>9.1f}{triples / seconds:>12,.0f}{memory:>10}{parser / seconds:>12.2f}")
print(f"\nthe node that took them: {pleiad['node_peak_kib'] / 1024:.0f} MiB at most")
if scattered:
    size = scattered["bytes"] / (1 << 20)
    print(f"{size:.0f} MiB with subjects scattered, read and mapped: "
          f"{scattered['peak_kib'] / 1024:.0f} MiB at most, {scattered['seconds']} s")
