"""What rdflib needs for a file of N-Triples: every triple is read into a graph in memory. Prints one JSON object."""

import io
import json
import resource
import subprocess
import sys
import time

from rdflib import Graph

path = sys.argv[1]
began = time.monotonic()
graph = Graph()
if path.endswith(".zst"):
    unpacked = subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE)
    graph.parse(io.BufferedReader(unpacked.stdout), format="nt")
else:
    graph.parse(path, format="nt")
print(json.dumps({
    "who": "rdflib",
    "triples": len(graph),
    "seconds": round(time.monotonic() - began, 2),
    "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
}))
