"""What the script needs of a node's door beside the program's own commands.

    door.py register FILE NODE TOKEN     registers the datasets of a demonstration file, or one document, under new ids
    door.py health FOLDER                the ids of the exported records that are of health data
    door.py summary NAME FILE            what an import says of itself, in a line a reason
"""

import json
import pathlib
import sys
import urllib.error
import urllib.request


def register(file, node, token):
    document = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
    datasets = [entry["dataset"] for entry in document["datasets"]] if "datasets" in document else [document]
    secret = pathlib.Path(token).read_text().strip()
    for dataset in datasets:
        dataset.pop("id", None)
        # Who may see it does not change what its export must say; a private record would not leave.
        dataset.pop("visibility", None)
        dataset.pop("listed", None)
        request = urllib.request.Request(
            node.rstrip("/") + "/api/v1/datasets",
            data=json.dumps(dataset).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {secret}"},
        )
        try:
            urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{file}: {dataset['title']}: {error.read().decode()}")


def health(folder):
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        if not path.name.endswith(".croissant.json"):
            dataset = json.loads(path.read_text(encoding="utf-8"))
            dataset = dataset.get("dataset", dataset)
            if "health" in dataset:
                print(dataset["id"])


def summary(name, file):
    said = json.loads(pathlib.Path(file).read_text(encoding="utf-8").splitlines()[-1])
    parts = [f"{said[key]} {key}" for key in ("read", "registered", "revised", "unchanged", "refused", "unreadable")
             if said.get(key)]
    print(f"{name}: {', '.join(parts)}")
    for reason in said.get("reasons", []):
        print(f"  {reason.get('count', '')} {reason.get('reason', reason)}" if isinstance(reason, dict) else f"  {reason}")


if __name__ == "__main__":
    {"register": register, "health": health, "summary": summary}[sys.argv[1]](*sys.argv[2:])
