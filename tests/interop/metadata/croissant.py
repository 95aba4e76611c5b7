#!/usr/bin/env python3
"""Holds exported documents against the validators of others.

    python croissant.py FOLDER

Every *.croissant.json is read by mlcroissant, every *.bib by pybtex; what these merely recommend is counted by its text, and
what they refuse is named. The last line is `violations of ours: N`, and the exit code is 1 where N is not 0.

Needs: pip install mlcroissant==1.1.1 pybtex==0.26.1. Nothing is fetched: the documents carry their contexts.
"""

import collections
import logging
import pathlib
import re
import sys


def main(folder: pathlib.Path) -> int:
    logging.disable(logging.CRITICAL)
    import mlcroissant
    from pybtex.database import parse_string

    violations, recommended, checked = [], collections.Counter(), collections.Counter()
    for file in sorted(folder.glob("*.croissant.json")):
        checked["Croissant by mlcroissant"] += 1
        try:
            dataset = mlcroissant.Dataset(jsonld=str(file))
        except Exception as error:  # every way to refuse is a violation
            violations.append(f"{file.name}: {type(error).__name__}: {error}")
            continue
        for warning in dataset.metadata.ctx.issues.warnings:
            text = re.sub(r"^.*\] ", "", str(warning), flags=re.S)
            recommended[re.sub(r"MAJOR\.MINOR\.PATCH: .*\. For", "MAJOR.MINOR.PATCH. For", text, flags=re.S)] += 1
    for file in sorted(folder.glob("*.bib")):
        checked["BibTeX by pybtex"] += 1
        try:
            entries = parse_string(file.read_text(encoding="utf-8"), "bibtex").entries
            if len(entries) != 1:
                raise ValueError(f"{len(entries)} entries")
        except Exception as error:
            violations.append(f"{file.name}: {type(error).__name__}: {error}")
    for what, count in checked.items():
        print(f"{count} documents checked: {what}")
    for text, count in recommended.most_common():
        print(f"{count} x recommended and not stated in the record: {text}")
    for violation in violations:
        print(violation)
    if not checked:
        violations.append("nothing was checked")
    print(f"violations of ours: {len(violations)}")
    return 1 if violations else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
