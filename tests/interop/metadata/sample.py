"""Takes a seeded sample of each real corpus and writes it in its own format, ready to be imported.

    sample.py CORPORA OUT COUNT

CORPORA is the folder of the reference corpora, COUNT the number of records of each, or `all`. The same seed takes the
same records, so that two runs can be compared. Prints one line a corpus: name, format, records.
"""

import io
import json
import pathlib
import random
import shutil
import subprocess
import sys

SEED = 20261124


def choose(items, count):
    items = sorted(items)
    if count is None or len(items) <= count:
        return items
    return sorted(random.Random(SEED).sample(items, count))


def folder(source, pattern, out, count):
    out.mkdir(parents=True, exist_ok=True)
    paths = choose([path for path in source.glob(pattern) if path.is_file()], count)
    for path in paths:
        shutil.copy(path, out / path.name)
    return len(paths)


def unpacked(path):
    return subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE).stdout


def records(source, out, count):
    """The records of several sources in one simple shape: a file a source. Lines end at a line feed and nowhere else."""
    by_source = {}
    for line in unpacked(source):
        by_source.setdefault(json.loads(line)["source"], []).append(line)
    for name, lines in sorted(by_source.items()):
        chosen = choose(lines, count)
        (out / f"records-{name}.jsonl").write_bytes(b"".join(chosen))
        yield f"records-{name}", len(chosen)


def triples(source, out, count):
    """Datasets of an N-Triples dump with everything that hangs on them: three passes, so that memory holds the sample only."""
    is_dataset = b"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset>"
    subject = lambda line: line.split(b" ", 1)[0]
    names = {subject(line) for line in unpacked(source) if is_dataset in line}
    wanted = set(choose(names, count))
    chosen, found = len(wanted), {}
    for _ in range(4):
        fresh = set()
        for line in unpacked(source):
            name = subject(line)
            if name in wanted and name not in found:
                fresh.add(name)
        lines = {name: [] for name in fresh}
        for line in unpacked(source):
            if subject(line) in lines:
                lines[subject(line)].append(line)
        found.update(lines)
        referred = {
            term
            for said in lines.values()
            for line in said
            for term in [line.split(b" ", 2)[2].rstrip(b" .\n")]
            if term.startswith((b"<", b"_:"))
        }
        wanted = {name for name in referred if name not in found and name not in names}
        if not wanted:
            break
    with open(out, "wb") as file:
        for said in found.values():
            file.writelines(said)
    return chosen


def main():
    corpora, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    count = None if sys.argv[3] == "all" else int(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    portal = corpora / "be-datagov" / "data.gov.be-2025.nt.zst"
    if count is None:
        shutil.copy(portal, out / "be-datagov.nt.zst")
        print("be-datagov.nt.zst", 17828)
    else:
        print("be-datagov.nt", triples(portal, out / "be-datagov.nt", count))
    print("cz-khk", folder(corpora / "cz-khk" / "public", "**/*.jsonld", out / "cz-khk", count))
    print("hf-cards", folder(corpora / "hf-cards" / "cards", "*.md", out / "hf-cards", count))
    for name, number in records(corpora / "records.jsonl.zst", out, count):
        print(f"{name}.jsonl", number)


if __name__ == "__main__":
    main()
