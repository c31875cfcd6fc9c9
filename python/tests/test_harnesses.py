"""Inside the real harnesses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import made_up

import sureness

LETTERS = "ABCD"


def test_a_task_of_lm_evaluation_harness_has_our_metrics(tmp_path):
    lm_eval = pytest.importorskip("lm_eval")
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager

    import sureness.lm_eval as ours

    logits, labels = made_up(300, 4, 1.5, 1)
    logits -= np.logaddexp.reduce(logits, axis=1, keepdims=True)

    class Given(LM):
        """Answers with given log-likelihoods."""

        def loglikelihood(self, requests):
            found = []
            for request in requests:
                number, option = int(request.args[0].split()[1]), LETTERS.index(request.args[1].strip())
                found.append((float(logits[number, option]), False))
            return found

        def loglikelihood_rolling(self, requests):
            raise NotImplementedError

        def generate_until(self, requests):
            raise NotImplementedError

    questions = tmp_path / "questions.jsonl"
    rows = (f'{{"question": "Number {i}", "answer": {label}}}\n' for i, label in enumerate(labels))
    questions.write_text("".join(rows))
    task = {
        "task": "mine", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(questions)}},
        "test_split": "test", "output_type": "multiple_choice", "doc_to_text": "{{question}} is",
        "doc_to_choice": list(LETTERS), "doc_to_target": "answer",
        "process_results": ours.process_results(gold="answer"), "metric_list": ours.METRICS,
    }  # fmt: skip
    # Without the harness's own tasks, whose thousands of files take half a minute to read.
    tasks = TaskManager(include_defaults=False)
    results = lm_eval.simple_evaluate(Given(), tasks=[task], task_manager=tasks, log_samples=True, bootstrap_iters=0)
    figures = results["results"]["mine"]
    expected = sureness.evaluate(logits, labels)
    assert figures["acc,none"] == pytest.approx((logits.argmax(1) == labels).mean())
    assert figures["sureness_set_size,none"] == expected.set_size.value
    assert figures["sureness_uacc,none"] == expected.uacc.value
    assert figures["sureness_coverage,none"] == expected.coverage.value
    # And everything else from the samples, as they lie in memory.
    runs = sureness.from_lm_eval(results, model="given")
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(runs.questions())
    assert table.height == 300
    found = table.select(f"logprob_{letter}" for letter in LETTERS).to_numpy()
    order = [int(id) for id in table["id"]]
    assert np.allclose(found, logits[order])


def test_a_task_of_inspect_has_our_scorer(tmp_path):
    inspect_ai = pytest.importorskip("inspect_ai")
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput, get_model
    from inspect_ai.model import Logprob, Logprobs, ModelUsage, TopLogprob
    from inspect_ai.solver import multiple_choice

    import sureness.inspect as ours

    logits, labels = made_up(120, 4, 2.0, 3)
    logprobs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

    def output(row):
        chosen = LETTERS[row.argmax()]
        top = [TopLogprob(token=f" {letter}", logprob=value) for letter, value in zip(LETTERS, row, strict=True)]
        tokens = [Logprob(token="ANSWER", logprob=-0.1, top_logprobs=[]), Logprob(token=":", logprob=-0.1, top_logprobs=[])]
        tokens.append(Logprob(token=f" {chosen}", logprob=float(row.max()), top_logprobs=top))
        message = ChatMessageAssistant(content=f"ANSWER: {chosen}")
        choice = ChatCompletionChoice(message=message, logprobs=Logprobs(content=tokens))
        # Counting tokens would fetch a tokenizer.
        usage = ModelUsage(input_tokens=9, output_tokens=3, total_tokens=12)
        return ModelOutput(model="mockllm/model", choices=[choice], usage=usage)

    dataset = MemoryDataset(
        [Sample(id=i, input=f"Number {i}?", choices=list("wxyz"), target=LETTERS[label]) for i, label in enumerate(labels)]
    )
    model = get_model("mockllm/model", custom_outputs=[output(row) for row in logprobs])
    task = inspect_ai.Task(dataset=dataset, solver=multiple_choice(), scorer=ours.option_probabilities())
    log = inspect_ai.eval(task, model=model, max_samples=1, display="none", log_dir=str(tmp_path), max_connections=1)[0]
    assert log.status == "success", log.error
    metrics = {name: metric.value for score in log.results.scores for name, metric in score.metrics.items()}
    expected = sureness.evaluate(logprobs, labels)
    assert metrics["accuracy"] == pytest.approx((logits.argmax(1) == labels).mean())
    assert metrics["set_size"] == pytest.approx(expected.set_size.value)
    assert metrics["coverage"] == pytest.approx(expected.coverage.value)
    runs = sureness.from_inspect([log])
    row = runs.evaluations()[0]
    assert row["questions"] == 120 and not math.isnan(row["acc"])
