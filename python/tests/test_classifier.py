"""Conformal classification, against the definition in NumPy."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from conftest import made_up
from hypothesis import given, settings
from hypothesis import strategies as st

import sureness
from sureness import ConformalClassifier


def reference(score, probs, labels, new, alpha):
    """Sets by the definition: threshold of the exact rank, sums over all options at least as probable."""

    def scores(p):
        if score == "lac":
            return 1 - p
        order = np.argsort(-p, axis=1, kind="stable")
        ordered = np.take_along_axis(p, order, 1)
        sums = np.empty_like(p)
        np.put_along_axis(sums, order, np.cumsum(ordered, axis=1), 1)
        return sums

    of_right = np.sort(scores(probs)[np.arange(len(labels)), labels])
    rank = int(np.ceil(round((len(labels) + 1) * (1 - alpha), 9)))
    if rank > len(labels):
        return np.inf, np.ones(new.shape, bool), np.zeros(new.shape, bool)
    threshold = of_right[rank - 1]
    near = np.abs(scores(new) - threshold) < 1e-12
    return threshold, scores(new) <= threshold, near


@given(
    seed=st.integers(0, 2**32 - 1),
    score=st.sampled_from(["lac", "aps"]),
    options=st.integers(2, 26),
    questions=st.integers(1, 120),
    skill=st.floats(0, 4),
    alpha=st.floats(0.02, 0.6),
)
@settings(max_examples=150, deadline=None)
def test_sets_are_those_of_the_definition(seed, score, options, questions, skill, alpha):
    logits, labels = made_up(questions, options, skill, seed)
    probs = sureness.softmax(logits)
    new = sureness.softmax(made_up(50, options, skill, seed + 1)[0])
    classifier = ConformalClassifier(score, alpha, allow_empty=True).calibrate(probs, labels)
    threshold, sets, near = reference(score, probs, labels, new, alpha)
    assert classifier.threshold_ == pytest.approx(threshold, abs=1e-12)
    found = classifier.predict_set(new)
    assert ((found == sets) | near).all()
    filled = ConformalClassifier(score, alpha).calibrate(probs, labels).predict_set(new)
    empty = ~found.any(1)
    assert (filled[~empty] == found[~empty]).all()
    assert (filled[empty].argmax(1) == new[empty].argmax(1)).all() and (filled[empty].sum(1) == 1).all()


@pytest.mark.parametrize("score", ["lac", "aps"])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_coverage_is_what_is_promised(score, alpha):
    covered = []
    for seed in range(200):
        logits, labels = made_up(400, 4, 1.5, seed)
        probs = sureness.softmax(logits)
        classifier = ConformalClassifier(score, alpha, allow_empty=True).calibrate(probs[:200], labels[:200])
        covered.append(classifier.predict_set(probs[200:])[np.arange(200), labels[200:]].mean())
    # The mean of 200 runs has a standard error of about 0.2 percentage points.
    assert np.mean(covered) >= 1 - alpha - 0.008
    assert np.mean(covered) <= 1 - alpha + 0.013 or score == "aps"


def test_the_papers_protocol_is_the_published_script():
    logits, labels = made_up(501, 6, 1.0, 7)
    logits = logits.astype(np.float32)
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    probs = (shifted / shifted.sum(1, keepdims=True)).astype(np.float32)
    calibration, new = probs[:250], probs[250:]
    scores = 1 - calibration[np.arange(250), labels[:250]]
    level = np.ceil(251 * (1 - 0.1)) / 250
    qhat = np.quantile(scores, level, method="higher")
    classifier = ConformalClassifier("lac", 0.1, "paper", allow_empty=True).calibrate(calibration, labels[:250])
    assert np.float32(classifier.threshold_) == np.float32(qhat)
    assert (classifier.predict_set(new) == (new >= 1 - np.float32(qhat))).all()


@pytest.mark.parametrize("options", [3, 4, 5, 6, 7])
def test_ties_are_those_of_the_published_script(options):
    # Eighths: exact in any order of adding, and equal in most rows.
    rng = np.random.default_rng(options)
    probs = rng.multinomial(8, np.full(options, 1 / options), 700).astype(np.float32) / 8
    labels = rng.integers(0, options, 700)
    order = np.argsort(probs, axis=1, kind="stable")[:, ::-1]
    scores = np.empty_like(probs)
    np.put_along_axis(scores, order, np.cumsum(np.take_along_axis(probs, order, 1), axis=1), 1)
    calibration, new = slice(0, 350), slice(350, 700)
    of_right = scores[calibration][np.arange(350), labels[calibration]]
    threshold = np.quantile(of_right, np.ceil(351 * 0.8) / 350, method="higher")
    classifier = ConformalClassifier("aps", 0.2, "paper", allow_empty=True)
    classifier.calibrate(probs[calibration], labels[calibration])
    assert classifier.threshold_ == threshold
    assert (classifier.predict_set(probs[new]) == (scores[new] <= threshold)).all()
    # One option marked as right is that option.
    marked = np.eye(options, dtype=bool)[labels[calibration]]
    assert classifier.calibrate(probs[calibration], marked).threshold_ == threshold


def test_inputs_are_read_without_copies_or_converted():
    import pandas as pd
    import polars as pl

    logits, labels = made_up(300, 4, 1.0, 3)
    probs = sureness.softmax(logits)
    expected = ConformalClassifier().calibrate(probs, labels).predict_set(probs)
    columns = ["a", "b", "c", "d"]
    for same in [
        probs,
        np.asfortranarray(probs),
        probs.tolist(),
        pd.DataFrame(probs, columns=columns),
        pl.DataFrame(probs, schema=columns),
        np.repeat(probs, 2, axis=0)[::2],
    ]:
        for right in [labels, labels.tolist(), pd.Series(labels), pl.Series(labels), labels.astype(np.uint8)]:
            assert (ConformalClassifier().calibrate(same, right).predict_set(same) == expected).all(), type(same)
    single = probs.astype(np.float32)
    assert ConformalClassifier().calibrate(single, labels).predict_set(single).shape == probs.shape
    mask = np.eye(4, dtype=bool)[labels]
    assert (ConformalClassifier().calibrate(probs, mask).predict_set(probs) == expected).all()


def test_arrow_is_read_as_it_lies():
    import duckdb
    import polars as pl
    import pyarrow as pa

    logits, labels = made_up(300, 4, 1.0, 3)
    probs = sureness.softmax(logits)
    expected = ConformalClassifier().calibrate(probs, labels).predict_set(probs)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(probs.ravel()), 4)
    columns = pa.table({name: pa.array(column) for name, column in zip("abcd", probs.T, strict=True)})
    for same in [
        lists,
        pa.array(probs.tolist()),
        pa.array(probs.tolist(), pa.large_list(pa.float64())),
        pa.chunked_array([lists[:100], lists[100:]]),
        pa.table({"probs": lists}),
        columns,
        pa.concat_tables([columns[:7], columns[7:]]),
        columns.to_batches()[0],
        pl.DataFrame({"probs": lists}),
        pl.Series("probs", probs, pl.Array(pl.Float64, 4)),
        duckdb.sql("select * from columns"),
    ]:
        for right in [labels, pa.array(labels), pa.table({"label": labels.astype(np.uint8)}), pl.Series(labels)]:
            assert (ConformalClassifier().calibrate(same, right).predict_set(same) == expected).all(), type(same)
    assert (ConformalClassifier().calibrate(lists[50:250], labels[50:250]).predict_set(lists[90:]).shape) == (210, 4)
    assert sureness.evaluate(pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), 4), labels).accuracy.value >= 0

    classifier = ConformalClassifier().calibrate(probs, labels)
    single = columns.cast(pa.schema([(name, pa.float32()) for name in "abcd"]))
    assert (classifier.predict_set(single) == classifier.predict_set(probs.astype(np.float32))).all()
    within = pa.array([[None, None], *probs.tolist(), [None, None]])[1:-1]
    assert (classifier.predict_set(within) == classifier.predict_set(probs)).all()
    for bad, message in [
        (pa.array([[0.5, 0.5], None]), "probs holds nulls"),
        (pa.array([[0.5, 0.5], [0.5, None]]), "probs holds nulls"),
        (pa.table({"a": [0.5, None], "b": [0.5, 1.0]}), "probs holds nulls"),
        (pa.array([[0.5, 0.5], [0.2, 0.3, 0.5]]), "probs"),
        (pa.table({"a": [0.5], "b": ["x"]}), "probs has the type|numbers"),
        (pa.array([[1.0], [1.0]]), "1 columns"),
    ]:
        with pytest.raises(ValueError, match=message):
            ConformalClassifier().calibrate(bad, np.zeros(len(bad), int))


def test_tensors():
    torch = pytest.importorskip("torch")
    logits, labels = made_up(300, 4, 1.0, 3)
    probs = sureness.softmax(logits)
    expected = ConformalClassifier().calibrate(probs, labels).predict_set(probs)
    tensor = torch.from_numpy(probs)
    found = ConformalClassifier().calibrate(tensor, torch.from_numpy(labels)).predict_set(tensor)
    assert (found == expected).all()
    with pytest.raises(ValueError, match="detach"):
        ConformalClassifier().calibrate(tensor.clone().requires_grad_(), labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, y: (p * 0.5, y), r"row 0 \(counted from 0\): the probabilities sum to 0\.500"),
        (lambda p, y: (np.where(np.arange(40)[:, None] == 7, np.nan, p), y), r"row 7 .*NaN"),
        (lambda p, y: (p - 0.5, y), r"row \d+ .*: -0\..* is not a probability"),
        (lambda p, y: (p[0], y), "1 dimensions"),
        (lambda p, y: ("probs.npy", y), "probs is a path, but needs numbers"),
        (lambda p, y: (p[:, :1], y), "1 columns"),
        (lambda p, y: (p[:30], y), "labels has 40 rows, but there are 30 questions"),
        (lambda p, y: (p, np.where(np.arange(40) == 5, 4, y)), "row 5 .*4 is not the index of one of 4 options"),
        (lambda p, y: (p, np.where(np.arange(40) == 5, -1, y)), "row 5 .*-1 is not the index"),
        (lambda p, y: (p, y.astype(float)), "neither indices nor a mask"),
        (lambda p, y: (p, np.zeros((40, 4), bool)), "row 0 .*no option is right"),
        (lambda p, y: (p.astype(str), y), "needs numbers"),
        (lambda p, y: (p.astype(complex), y), "needs numbers"),
    ],
)
def test_bad_input_is_refused_with_its_place_and_a_hint(change, message):
    logits, labels = made_up(40, 4, 1.0, 11)
    probs, labels = change(sureness.softmax(logits), labels)
    with pytest.raises(ValueError, match=message) as refused:
        ConformalClassifier().calibrate(probs, labels)
    assert "\nhint: " in str(refused.value)


def test_the_first_bad_row_is_named_whichever_thread_finds_it():
    probs = np.full((60_000, 4), 0.25)
    probs[[50_000, 20_001, 41_000], 2] = -1
    classifier = ConformalClassifier().calibrate(np.full((60, 4), 0.25), np.zeros(60, int))
    with pytest.raises(ValueError, match=r"row 20001 "):
        classifier.predict_set(probs)


def test_habits_of_scikit_learn():
    logits, labels = made_up(100, 3, 1.0, 1)
    probs = sureness.softmax(logits)
    classifier = ConformalClassifier("aps", alpha=0.2)
    assert classifier.get_params()["score"] == "aps" and "alpha=0.2" in repr(classifier)
    with pytest.raises(ValueError, match="not calibrated"):
        classifier.predict_set(probs)
    classifier.set_params(alpha=0.3).calibrate(probs, labels)
    again = pickle.loads(pickle.dumps(classifier))
    assert (again.predict_set(probs) == classifier.predict_set(probs)).all()
    with pytest.raises(ValueError, match="2 columns, but the calibration questions had 3"):
        classifier.predict_set(sureness.softmax(logits[:, :2]))
    for wrong in [{"alpha": 0.0}, {"alpha": float("nan")}, {"score": "raps"}, {"protocol": "mine"}, {"seed": -1}]:
        with pytest.raises(ValueError, match="hint: "):
            ConformalClassifier(**wrong).calibrate(probs, labels)


def test_too_few_calibration_questions_make_full_sets():
    probs = sureness.softmax(made_up(8, 4, 3.0, 1)[0])
    classifier = ConformalClassifier(alpha=0.1).calibrate(probs, np.zeros(8, int))
    assert classifier.threshold_ == float("inf") and classifier.predict_set(probs).all()


def test_ties_favour_no_option():
    uniform = np.full((4000, 4), 0.25)
    labels = np.zeros(4000, int)
    # APS at α of one half keeps two or three of four equal options, each equally often.
    sets = ConformalClassifier("aps", 0.5).calibrate(uniform, labels).predict_set(uniform)
    assert np.ptp(sets.mean(0)) < 0.08


@pytest.mark.parametrize("of", ["answered", "all"])
def test_a_selective_classifier_keeps_its_promise(of):
    broken, given_answers = 0, 0.0
    for seed in range(100):
        logits, labels = made_up(1500, 4, 3.0, seed)
        probs = sureness.softmax(logits)
        classifier = sureness.SelectiveClassifier(wrong=0.1, of=of).calibrate(probs[:500], labels[:500])
        answers = classifier.predict(probs[500:])
        answered = answers >= 0
        wrong = (answers[answered] != labels[500:][answered]).sum()
        # The true share, estimated from a thousand questions.
        broken += wrong / max(answered.sum(), 1) > 0.1 if of == "answered" else 0
        given_answers += answered.mean() / 100
        if of == "all":
            broken += wrong / 1000 / 100
    assert given_answers > 0.15
    if of == "answered":
        assert broken <= 20  # 10 expected at most, and those where the estimate is off
    else:
        assert broken <= 0.1 + 0.004


def test_a_confidence_sequence_closes_and_holds():
    missed = 0
    for seed in range(100):
        answers = np.random.default_rng(seed).permutation(np.repeat([0.0, 1.0], [120, 280]))
        found = sureness.confidence_sequence(answers, of=400)
        missed += not ((found.low <= 0.7) & (found.high >= 0.7)).all()
    assert missed <= 9  # 5 expected at most
    assert found.at[-1] == 400 and found.high[-1] - found.low[-1] < 1e-4
    with pytest.raises(ValueError, match=r"row 1 .* 2 lies outside"):
        sureness.confidence_sequence([1.0, 2.0])
    with pytest.raises(ValueError, match=r"row 0 .* NaN lies outside"):
        sureness.confidence_sequence([np.nan])


def test_a_selective_classifier_knows_its_options():
    rng = np.random.default_rng(3)
    probs = sureness.softmax(3 * rng.normal(size=(300, 4)))
    chosen = sureness.SelectiveClassifier(wrong=0.4).calibrate(probs, probs.argmax(1))
    assert chosen.n_options_ == 4
    with pytest.raises(ValueError, match="probs has 7 columns, but the calibration questions had 4"):
        chosen.predict(np.eye(7))


def test_a_confidence_sequence_takes_no_masks():
    with pytest.raises(ValueError, match="values has masked values"):
        sureness.confidence_sequence(np.ma.masked_array([1.0, 0.0], mask=[False, True]))
    with pytest.raises(ValueError, match="at names a time outside 1..2"):
        sureness.confidence_sequence([1.0, 0.0], at=[])


def test_one_by_one_is_as_together():
    tied = np.full((400, 4), 0.25)
    labels = np.zeros(400, int)
    fitted = [ConformalClassifier(alpha=0.3).calibrate(tied[:99] + [0.03, -0.01, -0.01, -0.01], labels[:99])]
    fitted.append(ConformalClassifier("aps", alpha=0.3, allow_empty=False).calibrate(tied[:99], labels[:99]))
    for classifier in fitted:
        again = pickle.loads(pickle.dumps(classifier))
        together = classifier.predict_set(tied)
        assert (together == np.vstack([again.predict_set(row[None]) for row in tied])).all()
    # Where the sets are filled with one of four tied options, none is favoured.
    share = fitted[0].predict_set(tied).mean(axis=0)
    assert (np.abs(share - 0.25) < 0.1).all(), share
    alone = sureness.SelectiveClassifier(0.9, "all").calibrate(tied, labels)
    answers = np.concatenate([alone.predict(row[None]) for row in tied])
    assert (np.abs(np.bincount(answers, minlength=4) / 400 - 0.25) < 0.1).all()


def test_frames_with_a_place_for_missing_values():
    pandas = pytest.importorskip("pandas")
    probs = sureness.softmax(np.log([[1.0, 2, 4], [4, 1, 2], [2, 4, 1]]))
    labels = np.array([2, 0, 1])
    expected = ConformalClassifier(alpha=0.5).calibrate(probs, labels)
    frame = pandas.DataFrame(probs).astype("Float64")
    for given_labels in (pandas.Series(labels, dtype="Int64"), pandas.DataFrame(np.eye(3)[labels]).astype("boolean")):
        found = ConformalClassifier(alpha=0.5).calibrate(frame, given_labels)
        assert found.threshold_ == expected.threshold_
    frame.iloc[1, 0] = pandas.NA
    with pytest.raises(ValueError, match=r"row 1 \(counted from 0\): nan is not a probability|NaN is not"):
        found.predict_set(frame)


def test_numbers_that_lie_between_the_places_of_numbers():
    probs = sureness.softmax(np.random.default_rng(0).normal(size=(50, 4)))
    raw = np.frombuffer(b"x" + probs.tobytes(), np.uint8)[1:]
    odd = raw.view(np.float64).reshape(50, 4)
    assert not odd.flags.aligned
    labels = np.frombuffer(b"x" + np.zeros(50, np.int64).tobytes(), np.uint8)[1:].view(np.int64)
    found = ConformalClassifier().calibrate(odd, labels)
    assert found.threshold_ == ConformalClassifier().calibrate(probs, np.zeros(50, int)).threshold_


def test_scores_beyond_single_precision_are_refused():
    for large in (1e39, 1e308):
        logits = np.array([[large, 0.0], [0.0, large]] * 20)
        for protocol in ("paper", "standard"):
            with pytest.raises(ValueError, match="beyond single precision"):
                sureness.softmax(logits, protocol=protocol)
            with pytest.raises(ValueError, match="beyond single precision"):
                sureness.evaluate(logits, [0, 1] * 20, protocol=protocol)


def test_a_promise_about_clusters_names_the_largest():
    probs = sureness.softmax(np.random.default_rng(1).normal(size=(300, 4)) * 3)
    labels = probs.argmax(axis=1)
    classifier = sureness.SelectiveClassifier(0.1)
    assert classifier.calibrate(probs, labels, clusters=np.arange(300)).threshold_ < 1
    assert classifier.calibrate(probs, labels, clusters=np.arange(300), largest_cluster=300).threshold_ == np.inf
    with pytest.raises(ValueError, match="largest_cluster is 2, but a cluster has 3 questions"):
        classifier.calibrate(probs, labels, clusters=np.arange(300) // 3, largest_cluster=2)
