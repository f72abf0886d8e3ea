"""What HAM10000's metadata say about the paper's claims, kept as `data/results/facts.json`.

python tools/keep_facts.py ../HAM10000/HAM10000_metadata.csv
"""

import sys

import pandas as pd

from lesions.core.files import IDS, write_json
from lesions.paper import evidence, published


def main() -> None:
    table = pd.read_csv(sys.argv[1], dtype=IDS)
    found = evidence.dataset_facts(table)
    rounded = {
        name: [round(part, 4) for part in fact] if isinstance(fact, evidence.Estimate) else fact
        for name, fact in found.items()
    }
    write_json(published.KEPT / "facts.json", rounded)


if __name__ == "__main__":
    main()
