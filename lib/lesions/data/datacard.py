"""What is known of HAM10000, from `data/datacard.json`: the one source of it."""

import json
from typing import Any

from lesions.core.files import ROOT

DATA_CARD: dict[str, Any] = json.loads(
    (ROOT / "data" / "datacard.json").read_text(encoding="utf-8")
)
