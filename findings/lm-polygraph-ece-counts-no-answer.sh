#!/usr/bin/env bash
# lm-polygraph 0.7.0: `ECE()`, the expected calibration error, is 0 for the package's own estimators, however
# badly calibrated the model is. The metric turns an uncertainty into a confidence by its sign and bins that
# from 0 to 1, but estimators return 1 - p (`Verbalized1S`) or -log p (`MaximumSequenceProbability`), so that
# all confidences but those of 0 are negative. An answer outside the bins counts as one without an error.
# With `normalize=True` the values are stretched to 0..1 by the smallest and largest of the sample, and the
# error is no longer about the probabilities that the model states.
#
# Seen (1,000 answers with stated confidences of 0.80 to 0.99, of which 30 % are right):
#   mean confidence less share of right answers       0.60
#   Verbalized1S                ECE 0.00, normalised  0.31
#   MaximumSequenceProbability  ECE 0.00, normalised  0.32
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip=("$work/venv/bin/pip" install --quiet --disable-pip-version-check)
"${pip[@]}" numpy==2.4.6 scikit-learn==1.9.1
# These modules need nothing else of what the package brings (PyTorch among it).
"${pip[@]}" --no-deps --target "$work/packages" lm-polygraph==0.7.0
"$work/venv/bin/python" - "$work/packages" <<'PYTHON'
import importlib
import math
import random
import sys
import types
from pathlib import Path

# The packages' own __init__ files import everything.
for name in ("lm_polygraph", "lm_polygraph.ue_metrics", "lm_polygraph.estimators"):
    package = types.ModuleType(name)
    package.__path__ = [str(Path(sys.argv[1], *name.split(".")))]
    sys.modules[name] = package
# All that estimators take from there is a hook at their construction, which writes to the log.
common = types.ModuleType("lm_polygraph.utils.common")
common.polygraph_module_init = lambda init: init
sys.modules["lm_polygraph.utils"] = types.ModuleType("lm_polygraph.utils")
sys.modules["lm_polygraph.utils.common"] = common
load = lambda name: importlib.import_module(f"lm_polygraph.{name}")
ECE = load("ue_metrics.ece").ECE

draws = random.Random(1)
stated = [draws.randint(80, 99) / 100 for _ in range(1000)]
right = [int(draws.random() < 0.3) for _ in stated]
gap = (sum(stated) - sum(right)) / len(stated)
print(f"mean confidence less share of right answers {gap:10.2f}")
assert gap > 0.5

verbalized = load("estimators.verbalized_1s").Verbalized1S(r"confidence: ([0-9.]+)")
sequence = load("estimators.max_probability").MaximumSequenceProbability()
answers = [f"Paris, confidence: {p}" for p in stated]
uncertainty = {
    verbalized: verbalized({"greedy_texts": answers}),
    # One token whose probability is the confidence.
    sequence: sequence({"greedy_log_likelihoods": [[math.log(p)] for p in stated]}),
}
for estimator, values in uncertainty.items():
    plain, normalised = (ECE(normalize=it)(values, right) for it in (False, True))
    print(f"{estimator!s:27} ECE {plain:.2f}, normalised {normalised:5.2f}")
    assert plain == 0 and 0.30 < normalised < 0.33
PYTHON
