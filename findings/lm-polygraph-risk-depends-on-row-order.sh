#!/usr/bin/env bash
# lm-polygraph 0.7.0: the area under the risk-coverage curve (`RiskCoverageCurveAUC`) is not a figure of the
# model alone.
#   - Rows of equal uncertainty stay in the order in which they come. Semantic entropy by counting takes few
#     values (six, for ten answers with at most two meanings), so that most rows are tied: a file that is
#     sorted by whether answers are right gives another area than the same file shuffled.
#   - The target is first stretched to the range 0 to 1 by its smallest and largest value. Of a model that
#     is always right, as of one that is always wrong, the risk becomes 0.5; and for a target such as
#     ROUGE-L the unit of the risk depends on the best and the worst row of the sample.
#
# Seen (400 made-up questions, ten answers to each):
#   rows as asked     0.516
#   right ones first  0.433
#   wrong ones first  0.599
#   all right         0.500
#   all wrong         0.500
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip=("$work/venv/bin/pip" install --quiet --disable-pip-version-check)
"${pip[@]}" numpy==2.4.6
# Its metrics need nothing else of what the package brings (PyTorch among it).
"${pip[@]}" --no-deps --target "$work/packages" lm-polygraph==0.7.0
"$work/venv/bin/python" - "$work/packages" <<'PYTHON'
import math
import random
import sys
import types
from pathlib import Path

# The packages' own __init__ files import everything.
for name in ("lm_polygraph", "lm_polygraph.ue_metrics"):
    package = types.ModuleType(name)
    package.__path__ = [str(Path(sys.argv[1], *name.split(".")))]
    sys.modules[name] = package
from lm_polygraph.ue_metrics.risk_cov_curve import RiskCoverageCurveAUC

draws = random.Random(1)
rows = []
for _ in range(400):
    share = draws.betavariate(2, 2)
    first = sum(draws.random() < share for _ in range(10)) / 10
    entropy = -sum(p * math.log(p) for p in (first, 1 - first) if p)
    rows.append((round(entropy, 9), int(draws.random() < share)))
assert len({entropy for entropy, _ in rows}) == 6
by_right = sorted(rows, key=lambda row: row[1])
orders = {
    "rows as asked": (rows, 0.516),
    "right ones first": (by_right[::-1], 0.433),
    "wrong ones first": (by_right, 0.599),
    "all right": ([(entropy, 1) for entropy, _ in rows], 0.5),
    "all wrong": ([(entropy, 0) for entropy, _ in rows], 0.5),
}
for name, (order, expected) in orders.items():
    entropies, right = zip(*order)
    area = RiskCoverageCurveAUC()(entropies, right)
    print(f"{name:17} {area:.3f}")
    assert abs(area - expected) < 0.001, name
PYTHON
