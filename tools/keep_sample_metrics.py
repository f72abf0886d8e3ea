"""Keep the scores of the sample profile, which its test compares with: run `make all` first."""

import json

from lesions.core.files import BUILD, ROOT, write_text
from lesions.training import run_records

CLASSES = {"sex": 2, "dx": 7, "dx_type": 4, "localization": 15}
KEPT = ROOT / "tests" / "study" / "sample_metrics.json"
COLUMNS = ["protocol", "model", "target", "accuracy", "balanced_accuracy"]

table = run_records.load_records(BUILD / "sample")
rows = table[COLUMNS].round(4).assign(classes=table["target"].map(CLASSES))
write_text(KEPT, json.dumps(rows.to_dict("records"), indent=1) + "\n")
print(f"{len(rows)} rows kept in {KEPT.relative_to(ROOT)}")
