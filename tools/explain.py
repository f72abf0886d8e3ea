"""Explanations on the real images: cover-up, maps against masks, faithfulness, artefacts; kept.

    python tools/explain.py quick

Reads `build/<profile>/`, which notebooks 02 and 03 have filled, and the run record of a network on
dx; writes `data/results/explanation/`. Each step is skipped when its table is there, so an
interrupted run goes on; `--again` makes all anew. Nothing is chosen on the test part: the methods,
their amounts and the images looked at are fixed beforehand.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from keep_results import processor, versions
from lesions.core.files import BUILD, IDS, atomic, write_json
from lesions.core.progress import say
from lesions.data import datasets, pixel_store
from lesions.explain import (
    artefacts,
    covering,
    localisation,
    maps,
    masks,
    study,
)
from lesions.splits import handover

FEW = 48  # images whose maps are asked again and again


def table_of(
    name: str, make: Callable[[], pd.DataFrame], given: argparse.Namespace
) -> pd.DataFrame:
    """The kept table of this name, made if it is not there."""
    path = Path(given.to) / f"{name}.csv"
    if given.again or not path.exists():
        say(f"{name} …")
        with atomic(path) as partial:
            make().round(4).to_csv(partial, index=False)
    return pd.read_csv(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profile")
    parser.add_argument("--record", default="honest-dx-compact_cnn-seed0", help="under runs/")
    parser.add_argument("--only", default="", help="names of steps: cover_up, maps")
    parser.add_argument("--seeds", type=int, default=3, help="of the cover-up")
    parser.add_argument("--images", type=int, default=200, help="to explain, about")
    parser.add_argument("--data", default=None, help="folder of the images; as HAM10000_DIR")
    parser.add_argument("--to", default=str(study.KEPT), help="folder of the tables")
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    folder = BUILD / given.profile
    about = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    cache = Path(about["pixels"]["honest"])
    pixels, image_ids = pixel_store.open_pixels(cache)
    table = handover.load_table(folder).set_index("image_id").loc[image_ids].reset_index()
    keep = pd.read_csv(folder / "keep.csv", dtype=IDS)
    groups = keep.set_index("image_id")["group"]
    kept_masks = folder / "explanation" / "masks.npy"
    if not kept_masks.exists():
        place = datasets.locate(about["DATASET"], given.data)
        found, faults = masks.load_masks(table, place, about["IMAGE_SIZE"], about["GEOMETRY"])
        say(f"masks: {len(faults)} faults")
        with atomic(kept_masks) as partial:
            np.save(partial, found)
    lesions = np.load(kept_masks)
    honest = table["image_id"].isin(keep.loc[keep["keep_honest"], "image_id"]).to_numpy()
    if given.only in ("", "cover_up"):
        seen, known = pixels[honest], table[honest].reset_index(drop=True)
        learner = covering.colours_learner(known)
        answers = []
        for seed in range(given.seeds):
            path = folder / "explanation" / f"cover-up-{seed}.parquet"
            if given.again or not path.exists():
                found = covering.cover_up(known, study.TARGETS, seen, lesions[honest], learner,
                                          [seed], groups)  # fmt: skip
                with atomic(path) as partial:
                    found.to_parquet(partial, index=False)
            answers.append(pd.read_parquet(path))
        table_of("cover_up", lambda: study.cover_scores(pd.concat(answers)), given)
    if given.only in ("", "maps"):
        look(folder / "runs" / given.record, pixels, lesions, image_ids, given)
    note = {"profile": given.profile, "record": given.record, "images": given.images,
            "seeds": given.seeds, "IMAGE_SIZE": about["IMAGE_SIZE"], "processor": processor(),
            "versions": versions()}  # fmt: skip
    write_json(Path(given.to) / "about.json", note)


def look(record: Path, pixels, lesions, image_ids, given: argparse.Namespace) -> None:
    """Everything that needs the trained network."""
    who = study.subject(record, pixels, lesions, image_ids, given.images)
    store = BUILD / given.profile / "explanation" / f"maps-{record.name}-{given.images}.npz"
    if given.again or not store.exists():
        found = study.all_maps(who)
        with atomic(store) as partial:
            np.savez(partial, **{f"{n}|{m}": v for n, of in found.items() for m, v in of.items()})
    found: dict[str, dict] = {}
    for key, value in np.load(store).items():
        network, name = key.split("|")
        found.setdefault(network, {})[name] = value
    trained, others = found["trained"], found["no network"]
    measured = study.localised(who, found)
    table_of("localisation", lambda: localisation.summary(
        measured, ("network", "map", "measure")), given)  # fmt: skip
    table_of("by_class", lambda: localisation.summary(
        measured, ("network", "map", "measure", "truth")), given)  # fmt: skip
    error = maps.completeness_error(
        who.network, who.images, who.answers, trained["integrated gradients"]
    )
    table_of("completeness", lambda: pd.DataFrame(
        [{"images": len(error), "median": np.median(error), "p90": np.quantile(error, 0.9)}]
    ), given)  # fmt: skip
    table_of("published_beside", lambda: study.published_beside(found, who), given)
    table_of("artefacts", lambda: artefacts.flip_table(
        artefacts.flips(who.network, who.pixels, who.about, who.classes)), given)  # fmt: skip
    asked = trained | {name: others[name] for name in ("centre Gaussian", "edge detector")}
    few = np.linspace(0, len(who.about) - 1, min(FEW, len(who.about))).astype(int)
    steps = table_of("randomisation", lambda: study.forgotten(who, asked, FEW)[0], given)
    table_of("faithfulness", lambda: study.faithful(who, asked, steps, few), given)


if __name__ == "__main__":
    main()
