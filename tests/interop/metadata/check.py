"""Holds exported records against other people's validators, and says whose fault each result is.

    check.py EXPORTS [--shapes FOLDER] [--pleiad PROGRAM]

EXPORTS has a folder a corpus with, for each record, NAME.json (the record), NAME.ttl (the RDF document; with the health
profile where the record is of health data), and NAME.croissant.json. pySHACL judges the RDF by the official shapes,
mlcroissant the Croissant file. A result is the source's where the record does not state what is asked for; it is the
standard's where `explained.tsv` says why the shape cannot be met or does not apply; every other one is ours. With
--pleiad (a build with the feature `shacl`) our own report over the same graph must have as many results.

The last line is `violations of ours: N`; the exit code is 1 where N is not 0.
"""

import argparse
import collections
import json
import logging
import pathlib
import subprocess
import sys
import time

import pyshacl
from rdflib import RDF, BNode, Graph, Namespace, URIRef

SH = Namespace("http://www.w3.org/ns/shacl#")
DCAT = Namespace("http://www.w3.org/ns/dcat#")
CATALOGUE = {
    "dcat-ap": "dcat-ap-3.0.1/shapes.ttl",
    "dcat-ap-ranges": "dcat-ap-3.0.1/range.ttl",
    "dcat-ap-recommended": "dcat-ap-3.0.1/shapes_recommended.ttl",
    "dcat-ap-code-lists": "dcat-ap-3.0.1/mdr-vocabularies.shape.ttl",
    "dcat-ap-deprecated": "dcat-ap-3.0.1/deprecateduris.ttl",
    "mldcat-ap": "mldcat-ap-3.1.0.ttl",
}
HEALTH = {
    "health-dcat-ap": "healthdcat-ap-5-non-public.ttl",
    "health-sensitive": "healthdcat-ap-sensitive.ttl",
}
PREFIXES = {
    "http://purl.org/dc/terms/": "dct:",
    "http://www.w3.org/ns/dcat#": "dcat:",
    "http://data.europa.eu/r5r/": "dcatap:",
    "http://data.europa.eu/it6/": "it6:",
    "http://healthdataportal.eu/ns/health#": "healthdcatap:",
    "http://www.w3.org/ns/adms#": "adms:",
    "http://www.w3.org/ns/dqv#": "dqv:",
    "http://www.w3.org/2006/vcard/ns#": "vcard:",
    "http://xmlns.com/foaf/0.1/": "foaf:",
    "http://spdx.org/rdf/terms#": "spdx:",
    "http://www.w3.org/ns/odrl/2/": "odrl:",
    "http://www.w3.org/ns/prov#": "prov:",
    "http://www.w3.org/2004/02/skos/core#": "skos:",
    "http://www.w3.org/ns/locn#": "locn:",
    "https://w3id.org/dpv#": "dpv:",
}


def short(term):
    text = str(term)
    for long, prefix in PREFIXES.items():
        if text.startswith(long):
            return prefix + text[len(long):]
    return text


def rows(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def field(record, path):
    """The values at a path such as `distributions.licence` in a record; lists are gone through."""
    values = [record]
    for name in path.split("."):
        values = [inner for value in values if isinstance(value, dict) and name in value
                  for inner in (value[name] if isinstance(value[name], list) else [value[name]])]
    return [value for value in values if value not in ("", None, "not_stated")]


class Judge:
    """Knows what the records of one graph state, and whose fault a result is."""

    def __init__(self, graph, records, explained, unstated):
        self.graph, self.records, self.explained, self.unstated = graph, records, explained, unstated
        self.of = {}
        for iri in records:
            self.reach(URIRef(iri), iri)

    def reach(self, node, record):
        """Which record a node belongs to: what hangs on a dataset, two steps deep."""
        level = [node]
        for _ in range(3):
            following = []
            for node in level:
                self.of.setdefault(node, record)
                for value in self.graph.objects(node):
                    if isinstance(value, (URIRef, BNode)) and value not in self.of:
                        following.append(value)
            level = following

    def cause(self, shapes, result):
        focus, path = result["focus"], short(result["path"] or "")
        classes = {short(c) for c in self.graph.objects(focus, RDF.type)} or {"-"}
        if result["constraint"] in ("MinCountConstraintComponent", "QualifiedMinCountConstraintComponent"):
            record = self.records.get(self.of.get(focus))
            for wanted_class, wanted_path, name in self.unstated:
                if wanted_class in classes and wanted_path == path and record is not None:
                    if self.is_unstated(record, name):
                        return f"not stated in the source: {name}"
        for wanted_shapes, wanted_class, wanted_path, wanted_constraint, value, why in self.explained:
            if (wanted_shapes in ("*", shapes) and (wanted_class == "*" or wanted_class in classes)
                    and wanted_path in ("*", path) and wanted_constraint in ("*", result["constraint"])
                    and (value == "*" or value in f"{result['value']} {result['message']}")):
                return f"explained: {why}"
        return None

    @staticmethod
    def is_unstated(record, name):
        if name.startswith("distributions."):
            parts = name.split(".", 1)[1]
            return any(not field(own, parts) for own in record.get("distributions", []))
        return not field(record, name)


def results_of(graph, shapes):
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes, advanced=False, inference="none", meta_shacl=False)
    for node in report.objects(None, SH.result):
        one = lambda name: next(report.objects(node, SH[name]), None)
        yield {
            "focus": one("focusNode"),
            "path": one("resultPath"),
            "value": one("value"),
            "constraint": str(one("sourceConstraintComponent")).rsplit("#")[-1],
            "severity": str(one("resultSeverity")).rsplit("#")[-1].lower(),
            "message": str(one("resultMessage") or ""),
        }


def croissants(paths):
    import mlcroissant

    for path in paths:
        try:
            dataset = mlcroissant.Dataset(jsonld=str(path))
            issues = dataset.metadata.ctx.issues
            found = [("error", text) for text in issues.errors] + [("warning", text) for text in issues.warnings]
        except mlcroissant.ValidationError as error:
            found = [("error", str(error))]
        except Exception as error:  # a validator that breaks has judged nothing
            found = [("error", f"{type(error).__name__}: {error}")]
        yield path, found


def check_corpus(folder, args, tables, totals):
    records, health = {}, {}
    for path in sorted(folder.glob("*.json")):
        if path.name.endswith(".croissant.json"):
            continue
        record = json.loads(path.read_text(encoding="utf-8"))
        dataset = record.get("dataset", record)
        (health if "health" in dataset else records)[dataset["id"]] = (path, dataset)
    print(f"\n{folder.name}: {len(records) + len(health)} records")
    for kind, group, files in [("", records, CATALOGUE), (" (health profile)", health, CATALOGUE | HEALTH)]:
        if not group:
            continue
        graph = Graph()
        for path, _ in group.values():
            graph.parse(path.with_suffix(".ttl"), format="turtle")
        judge = Judge(graph, {iri: dataset for iri, (_, dataset) in group.items()}, *tables)
        ours = our_counts(graph, args, list(files))
        for shapes, name in files.items():
            began = time.monotonic()
            found = list(results_of(graph, Graph().parse(args.shapes / name)))
            print(f"  {shapes + kind:<40}{len(found):>7} results  {time.monotonic() - began:6.1f} s"
                  + (f"  ours {ours[shapes]}" if ours else ""))
            if ours and ours[shapes] != len(found):
                totals["ours"] += 1
                print(f"    OURS: our report has {ours[shapes]} results and pySHACL's has {len(found)}")
            tally(found, shapes, judge, totals)
    for path, found in croissants(sorted(folder.glob("*.croissant.json"))):
        local = path.name.removesuffix(".croissant.json")
        dataset = next((known for iri, (_, known) in (records | health).items() if iri.endswith("/" + local)), {})
        for level, text in found:
            cause = croissant_cause(dataset, text, tables[0])
            what = text.split("\n")[0].rsplit("] ", 1)[-1]
            totals["causes"][("croissant", cause or "OURS", what[:60])] += 1
            if cause is None:
                totals["ours"] += 1
                print(f"    OURS: {path.name}: {level}: {text[:400]}")
    totals["records"] += len(records) + len(health)


def croissant_cause(dataset, text, explained):
    for shapes, _, path, _, value, why in explained:
        if shapes == "croissant" and value in text:
            if path == "-":
                return f"explained: {why}"
            if Judge.is_unstated(dataset, path):
                return f"not stated in the source: {path}"
    return None


def tally(found, shapes, judge, totals):
    shown = 0
    for result in found:
        cause = judge.cause(shapes, result)
        what = f"{short(result['path'] or '-')} {result['constraint']}"
        totals["causes"][(shapes, cause or "OURS", what)] += 1
        if cause is None:
            totals["ours"] += 1
            shown += 1
            if shown <= 5:
                print(f"    OURS: {result['severity']} {result['focus']} {what} {str(result['value'])[:120]} "
                      f"{result['message'][:160]}")


def our_counts(graph, args, shapes):
    if args.pleiad is None:
        return None
    file = args.exports / "graph.nt"
    graph.serialize(file, format="nt", encoding="utf-8")
    command = [args.pleiad, "--json", "dataset", "conform", "--shapes", ",".join(shapes), str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        results = json.loads(done.stdout)["results"]
    except (json.JSONDecodeError, KeyError):
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    counts = collections.Counter(result["shapes"] for result in results)
    return {name: counts[name] for name in shapes}


def main():
    logging.disable(logging.WARNING)
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser()
    parser.add_argument("exports", type=pathlib.Path)
    parser.add_argument("--shapes", type=pathlib.Path, default=here.parents[2] / "schemas" / "shacl")
    parser.add_argument("--pleiad")
    args = parser.parse_args()
    tables = list(rows(here / "explained.tsv")), list(rows(here / "unstated.tsv"))
    totals = {"ours": 0, "records": 0, "causes": collections.Counter()}
    for folder in sorted(path for path in args.exports.iterdir() if path.is_dir()):
        check_corpus(folder, args, tables, totals)
    print("\nwhat remains, and why:")
    for (shapes, cause, what), count in sorted(totals["causes"].items()):
        print(f"  {count:>7}  {shapes:<20} {what:<60} {cause}")
    print(f"\nrecords checked: {totals['records']}")
    print(f"violations of ours: {totals['ours']}")
    sys.exit(1 if totals["ours"] else 0)


if __name__ == "__main__":
    main()
