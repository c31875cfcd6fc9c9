"""Holds the figures of the example `verify` against other packages: one line per comparison.

    compare.py ROWS [--torch]

ROWS has A.csv, B.csv and figures.json; see run.sh. Exits with 1 where anything differs by more
than the line's tolerance: 1e-9, unless it says otherwise.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import confidence
import inference
import sets
from report import Report


class Model:
    """One model's rows and what we made of them."""

    def __init__(self, path, figures, shared):
        rows = pd.read_csv(path)
        self.answers = rows["answer"].to_numpy()
        self.logits = rows.iloc[:, 3:].to_numpy(float)
        # Rows of the same options in another order have the same probabilities, to the last bit: the sum is
        # exact in units of 2^-57 (docs of `Real::sum`).
        exponentials = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        units = np.floor(exponentials * 2.0**57).astype(np.uint64).sum(axis=1, keepdims=True)
        self.p = exponentials / (units * 2.0**-57)
        self.figures = figures
        self.top = np.array(figures["top"])
        self.calibration, self.test = np.array(shared["calibration"]), np.array(shared["test"])
        self.alpha, self.bins = shared["alpha"], shared["bins"]


def main():
    folder, torch = Path(sys.argv[1]), "--torch" in sys.argv[2:]
    figures = json.loads((folder / "figures.json").read_text())
    models = {name: Model(folder / f"{name.upper()}.csv", figures[name], figures) for name in "ab"}
    report = Report()
    rows = sorted([*figures["calibration"], *figures["test"]])
    report.check("every row calibrates or is tested", rows, range(len(models["a"].answers)))
    for name, model in models.items():
        confidence.compare(report, name, model)
        sets.compare(report, name, model)
    inference.compare(report, figures)
    if torch:
        import with_torch

        for name, model in models.items():
            with_torch.compare(report, name, model)
    else:
        report.note("torchmetrics, TorchCP", "not compared; run.sh --torch does")
    print(f"{report.compared - report.failed} of {report.compared} comparisons agree")
    return int(report.failed > 0)


if __name__ == "__main__":
    # Here, since crepes turns warnings on when it is imported.
    warnings.simplefilter("ignore")
    sys.exit(main())
