"""What the rules of notebook 02 find on the real HAM10000, kept as `data/results/duplicates/`.

HAM10000_DIR=… python tools/keep_duplicates.py

The descriptor takes some minutes for 10,015 images; it is kept in the cache.
"""

import pandas as pd

from lesions.core.files import atomic
from lesions.data import datasets
from lesions.duplicates import dedup, descriptors, links
from lesions.paper import published


def main() -> None:
    table = datasets.load("ham10000")
    hashes = dedup.hash_images(table)
    known = dedup.known_duplicates(among=table["image_id"])
    same = dedup.same_lesion_pairs(table, known)
    candidates = descriptors.descriptor_pairs(table)
    judged = descriptors.score_descriptor(candidates, table, known)
    confirmed = candidates[candidates["matches"] >= judged["threshold"].iloc[0]]
    equal = dedup.pairs_of(dedup.equal_groups(hashes, "pixel_hash"))
    sure = pd.concat([equal, known, confirmed])
    turned = dedup.find_oriented_pairs(table, "phash", 4)
    curves = [
        {"hash": method, "bits": bits}
        | dedup.score_pairs(dedup.find_pairs(hashes, method, bits), same)
        for method in ("phash", "dhash")
        for bits in (0, 4, 8)
    ]
    tables = {
        "rules": dedup.removal_rules(table, hashes),
        "descriptor": judged,
        "hashes": pd.DataFrame(curves),
        "links": links.group_sizes(table, turned, sure, same),
    }
    for name, kept in tables.items():
        with atomic(published.KEPT / "duplicates" / f"{name}.csv") as partial:
            kept.round(4).to_csv(partial, index=False)
        print(kept.round(3).to_string())


if __name__ == "__main__":
    main()
