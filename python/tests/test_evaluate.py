"""Figures of arrays beside those of the command line."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from conftest import made_up

import sureness


def command(*args):
    """What the command line prints."""
    done = subprocess.run([sys.executable, "-m", "sureness", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def paper(request):
    """Logits, labels and the file of each published model, without the few-shot examples."""
    from conftest import shared as fixture

    folder = fixture.__wrapped__() / "paper"
    answers = {row["id"]: "ABCDEF".index(row["answer"]) for row in json.loads((folder / "mmlu_10k.json").read_text())}
    found = []
    for file in sorted((folder / "logits").glob("*_base_icl1.pkl")):
        rows = [row for row in pickle.loads(file.read_bytes()) if row["id"] not in {1, 3, 5, 7, 9}]
        logits = np.stack([row["logits_options"] for row in rows]).astype(np.float32)
        found.append((file, logits, np.array([answers[row["id"]] for row in rows])))
    assert found
    return folder / "mmlu_10k.json", found


def test_figures_are_those_of_score_to_the_last_bit(paper):
    questions, files = paper
    for file, logits, labels in files:
        scored = json.loads(
            command("score", "--protocol", "paper", "--questions", questions, "--logits", file, "--output", "json")
        )["files"][0]
        found = sureness.evaluate(logits, labels, protocol="paper", dont_know=4, none_of_the_above=5, replicates=100)
        for key in ["n_calibration", "n_test", "acc", "e_rate", "f_rate", "lac", "aps"]:
            assert found.headline[key] == scored[key], key
        assert found.accuracy.value == scored["acc"]
        assert found.lac.threshold == scored["lac"]["qhat"]
        assert found.set_size.value == (scored["lac"]["set_size"] + scored["aps"]["set_size"]) / 2
        # The same in double precision, and as logarithms of probabilities up to rounding.
        again = sureness.evaluate(logits.astype(float), labels, protocol="paper", dont_know=4, replicates=100)
        assert again.headline["lac"] == found.headline["lac"]


def test_published_figures(paper):
    """Accuracy as printed in the main table of the paper is a mean over three prompt strategies; the
    classifier's sets of one strategy are those of the evaluation."""
    _, files = paper
    file, logits, labels = files[0]
    found = sureness.evaluate(logits, labels, protocol="paper", replicates=100)
    permuted = np.random.RandomState(42).permutation(len(labels))
    test, calibration = permuted[: len(labels) - len(labels) // 2], permuted[len(labels) - len(labels) // 2 :]
    probs = sureness.softmax(logits, protocol="paper")
    for score in ["lac", "aps"]:
        classifier = sureness.ConformalClassifier(score, 0.1, "paper").calibrate(probs[calibration], labels[calibration])
        sets = classifier.predict_set(probs[test])
        figures = getattr(found, score)
        assert classifier.threshold_ == figures.threshold
        assert sets.sum(1).mean() == pytest.approx(figures.set_size.value, abs=1e-12)
        assert sets[np.arange(len(test)), labels[test]].mean() == pytest.approx(figures.coverage.value, abs=1e-12)


def test_the_standard_protocol_splits_by_the_same_names(paper):
    questions, files = paper
    file, logits, labels = files[0]
    scored = json.loads(command("score", "--questions", questions, "--logits", file, "--output", "json"))["files"][0]
    rows = sureness.read(file, questions=questions)
    pl = pytest.importorskip("polars")
    table = pl.DataFrame(rows.questions())
    assert (table.select(f"logit_{letter}" for letter in "ABCDEF").to_numpy() == logits).all()
    keys = [bytes.fromhex(key) for key in table["key"]]
    found = sureness.evaluate(logits, table["answer_index"].to_numpy(), ids=keys, dont_know=4, none_of_the_above=5)
    for key in ["acc", "e_rate", "f_rate", "lac", "aps", "n_test"]:
        assert found.headline[key] == scored[key], key
    assert rows.evaluations()[0]["lac"] == scored["lac"]


def test_intervals_are_those_of_analyze(paper, tmp_path):
    questions, files = paper
    file, logits, labels = files[0]
    arguments = ["--modes", "basic", "calibration", "--formats", "json", "--output-dir", tmp_path, "--replicates", 200]
    command("analyze", file, "--questions", questions, "--protocol", "paper", *arguments)
    printed = json.loads((tmp_path / "report.json").read_text())
    analysis = sureness.read(file, questions=questions).analyze("basic", "calibration", protocol="paper", replicates=200)
    theirs = [section["tables"] for section in printed["sections"]]
    assert [json.loads(analysis.to_json())["sections"][i]["tables"] for i in range(2)] == theirs


def test_figures_of_made_up_models_have_intervals():
    logits, labels = made_up(2000, 4, 1.5, 1)
    categories = np.where(np.arange(2000) % 2 == 0, "even", "odd")
    found = sureness.evaluate(logits, labels, groups=categories)
    for name in ["accuracy", "set_size", "coverage", "uacc", "brier", "log_loss", "aurc", "auroc", "ece"]:
        figure = getattr(found, name)
        assert figure.low is not None and figure.low <= figure.value <= figure.high, name
    assert [row["category"] for row in found.groups] == ["even", "odd"]
    probs = sureness.softmax(logits)
    # An independent count over all questions lies within sampling error.
    brier = ((probs - np.eye(4)[labels]) ** 2).sum(1).mean()
    assert found.brier.value == pytest.approx(brier, abs=0.05)
    html = found._repr_html_()
    assert "<table>" in html and "<svg" in html and "<script" not in html


def test_a_difference_has_the_sign_of_the_order():
    strong, labels = made_up(2000, 4, 2.0, 1)
    weak = made_up(2000, 4, 1.0, 2)[0]
    weak = np.where(np.eye(4, dtype=bool)[labels], np.abs(weak) + 0.3, weak)
    one, other = sureness.compare(strong, weak, labels), sureness.compare(weak, strong, labels)
    for name in ["accuracy", "set_size", "coverage", "uacc"]:
        a, b = getattr(one, name), getattr(other, name)
        assert a.value == -b.value and a.low == -b.high and a.p == b.p
    assert one.mcnemar_p == other.mcnemar_p
    values = [sureness.evaluate(scores, labels).uacc.value for scores in (strong, weak)]
    assert one.uacc.value == pytest.approx(values[0] - values[1], abs=1e-12)


def test_models_that_are_alike_do_not_differ_too_often():
    rejected = 0
    for seed in range(60):
        a, labels = made_up(400, 4, 1.0, seed)
        rng = np.random.default_rng(seed + 1000)
        b = rng.normal(size=(400, 4))
        b[np.arange(400), labels] += 1.0
        rejected += sureness.compare(a, b, labels, replicates=200).set_size.p < 0.05
    assert rejected <= 9  # 3 expected; P(more) is below 1 %


def test_verdicts_are_those_of_compare(paper):
    questions, files = paper
    pair = files[:2]
    printed = json.loads(
        command(
            "compare", "--logits", pair[0][0], pair[1][0], "--questions", questions, "--until", "settled",
            "--protocol", "paper", "--metric", "acc", "--output", "json",
        )
    )["pairs"][0]  # fmt: skip
    rows = sureness.read(pair[0][0], pair[1][0], questions=questions)
    verdict = rows.settle(metrics=["acc"], protocol="paper")[0]
    assert (verdict.asked, verdict.of, verdict.verdict) == (printed["asked"], printed["of"], printed["verdict"])
    assert list(verdict.interval) == printed["interval"]
    assert str(verdict).endswith(f"after {verdict.asked} of {verdict.of} questions")
    assert all(name in str(verdict) for name in verdict.models)


def test_too_few_questions_say_so():
    logits, labels = made_up(30, 4, 1.0, 1)
    found = sureness.evaluate(logits, labels)
    assert found.set_size.low is None and found.set_size.why == "too few"
    few = sureness.evaluate(*made_up(12, 4, 1.0, 1))
    assert few.lac.threshold is None and few.lac.set_size.value == 4
    difference = sureness.compare(logits[:12], logits[:12][:, ::-1], labels[:12]).set_size
    assert difference.p is None and difference.low is None and difference.why is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": sureness.softmax(made_up(50, 4, 1.0, 1)[0])}, "holds probabilities"),
        ({"labels": np.full(50, 9)}, "row 0 .*9 is not the index"),
        ({"ids": ["a"]}, "ids has 1 entries, but there are 50 questions"),
        ({"clusters": [1.5] * 50}, "1.5 is not a name"),
        ({"groups": ["a"] * 49}, "groups has 49 entries"),
        ({"replicates": 1}, "replicates is 1, but must lie between 100 and"),
        ({"labels": np.full(50, 2**63 + 9, dtype=np.uint64)}, "row 0 .*9223372036854775817 is not the index"),
        ({"dont_know": 4}, "dont_know is 4, but there are 4 options"),
        ({"dont_know": -1}, "dont_know is -1"),
        ({"dont_know": 3, "none_of_the_above": 3}, "the same option"),
        ({"seed": -1}, "cannot be read.*-1"),
        ({"alpha": 1.0}, "alpha is 1, but must lie between 0 and 1"),
        ({"alpha": float("nan")}, "cannot be read"),
        ({"protocol": "own"}, "cannot be read.*own"),
        ({"replicates": 0}, "replicates is 0"),
        ({"protocol": "paper", "seed": 2**40}, "takes seeds up to 4294967295"),
        ({"level": 95}, "level is 95"),
        ({"level": 0.9999}, "level 0.9999 takes 40000 replicates, and there are 1000"),
        ({"bins": 10**6}, "bins is 1000000, but must lie between 1 and 1000"),
    ],
)
def test_settings_are_refused_with_a_hint(arguments, message):
    logits, labels = made_up(50, 4, 1.0, 1)
    given = {"scores": logits, "labels": labels, **arguments}
    with pytest.raises(ValueError, match=message) as refused:
        sureness.evaluate(given.pop("scores"), given.pop("labels"), **given)
    assert "\nhint: " in str(refused.value)


def test_a_score_that_is_not_finite_is_named():
    logits, labels = made_up(50, 4, 1.0, 1)
    logits[31, 2] = -np.inf
    with pytest.raises(ValueError, match=r"model, row 31 \(counted from 0\): a score is infinite"):
        sureness.evaluate(logits, labels)


def test_tables_become_plain_rows():
    logits, labels = made_up(500, 4, 1.0, 1)
    table = sureness.evaluate(logits, labels, name="m").analysis.table("leaderboard")
    row = table.to_dicts()[0]
    assert row["model"] == "m" and row["acc_low"] < row["acc"] < row["acc_high"]
    with pytest.raises(KeyError, match="there are"):
        sureness.evaluate(logits, labels).analysis.section("nothing")


def test_the_index_of_a_frame_is_no_option(monkeypatch):
    """Through Arrow it would be a column; without pyarrow there is no Arrow."""
    pd = pytest.importorskip("pandas")
    logits, labels = made_up(200, 4, 1.0, 3)
    frame = pd.DataFrame(logits, index=pd.Index(np.linspace(5, 9, 200), name="score"))
    expected = sureness.evaluate(logits, labels).accuracy
    assert sureness.softmax(frame).shape == (200, 4)
    assert sureness.evaluate(frame, labels).accuracy == expected

    def absent(*_):
        raise ImportError("pyarrow")

    for of in (pd.DataFrame, pd.Series):
        monkeypatch.setattr(of, "__arrow_c_stream__", absent, raising=False)
    assert sureness.evaluate(frame, pd.Series(labels)).accuracy == expected


def with_odd_row(probs):
    probs[7] = [0.9, 0.9, 0.1, 0.0]
    return probs


@pytest.mark.parametrize(
    "shown",
    [lambda p: p.round(2), lambda p: p.round(1), lambda p: p.astype(np.float16), lambda p: 100 * p, with_odd_row],
)
def test_rounded_probabilities_are_no_logits(shown):
    logits, labels = made_up(300, 4, 1.0, 4)
    with pytest.raises(ValueError, match="holds probabilities"):
        sureness.evaluate(shown(sureness.softmax(logits)), labels)


def test_questions_may_have_no_group():
    pd = pytest.importorskip("pandas")
    logits, labels = made_up(300, 4, 1.0, 5)
    for missing in (None, float("nan"), pd.NA):
        found = sureness.evaluate(logits, labels, groups=["a", "b", missing] * 100, replicates=100)
        assert [row["category"] for row in found.groups] == ["a", "b"]


def test_masked_values_are_refused():
    logits, labels = made_up(300, 4, 1.0, 5)
    hidden = np.ma.masked_greater(logits, np.quantile(logits, 0.99))
    with pytest.raises(ValueError, match="has masked values"):
        sureness.evaluate(hidden, labels)

    class Own(np.ma.MaskedArray):
        """A mask of one's own kind."""

    with pytest.raises(ValueError, match="has masked values"):
        sureness.evaluate(hidden.view(Own), labels)
    with pytest.raises(ValueError, match="labels has masked values"):
        sureness.evaluate(logits, np.ma.masked_array(labels, mask=labels == 0))
    whole = sureness.evaluate(np.ma.masked_array(logits), labels)
    assert whole.accuracy == sureness.evaluate(logits, labels).accuracy


def test_numbers_of_numpy_are_settings():
    logits, labels = made_up(300, 4, 1.0, 6)
    found = sureness.evaluate(logits, labels, replicates=np.int64(200), alpha=np.float64(0.2))
    assert found.lac == sureness.evaluate(logits, labels, replicates=200, alpha=0.2).lac


@pytest.mark.parametrize("margins", [{"acc": 0}, {"acc": 2}, {"acc": -0.1}, {"size": 0}, {"acc": float("nan")}])
def test_margins_have_the_bounds_of_the_command(margins):
    logits, labels = made_up(50, 4, 1.0, 7)
    with pytest.raises(ValueError, match="the margin of '(acc|size)' is .*\n*hint: give"):
        sureness.settle(logits, logits, labels, margins=margins)


def test_digests_may_be_hexadecimal():
    """As the column `key` of a run's questions has them."""
    logits, labels = made_up(300, 4, 1.0, 8)
    keys = [bytes([row % 256, row // 256] * 16) for row in range(300)]
    as_bytes = sureness.evaluate(logits, labels, ids=keys, replicates=100)
    as_text = sureness.evaluate(logits, labels, ids=[key.hex() for key in keys], replicates=100)
    assert as_bytes.headline == as_text.headline
    # Clusters that nobody knows are none.
    unknown = sureness.evaluate(logits, labels, ids=keys, clusters=[None] * 300, replicates=100)
    assert unknown.headline == as_bytes.headline


@pytest.mark.skipif(sys.platform != "linux", reason="forks without care for threads")
def test_a_forked_process_computes_too():
    """After the threads of the parent have been used, which a fork does not copy."""
    code = """
import multiprocessing, numpy as np, sureness
rng = np.random.default_rng(0)
logits, labels = rng.normal(size=(30000, 5)), rng.integers(0, 5, 30000)
probs = sureness.softmax(logits)
def found(_):
    threshold = sureness.ConformalClassifier("aps").calibrate(probs, labels).threshold_
    return threshold, str(sureness.evaluate(logits[:500], labels[:500], replicates=100).set_size)
here = found(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(found, range(2)) == [here] * 2)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout == "True\n", done.stderr
