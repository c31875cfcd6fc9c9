"""Writes made-up predictions in the layout of OLMES (`MCAccuracy` of oe_eval): `python write_olmes.py olmes`."""

import json
import sys
from pathlib import Path

BITS = 1.44269504089
QUESTIONS = [
    ([" a dog", " a very old oak tree"], 0, [-3.0, -4.5], [2, 5], [-3.5, -8.0]),
    ([" a dog", " a very old oak tree"], 1, [-2.5, -4.0], [2, 5], [-3.5, -8.0]),
    ([" a cup of tea", " an är"], 1, [-7.0, -3.3], [4, 2], [-5.0, -7.0]),
]


def row(number, texts, label, sums, tokens, alone):
    options = []
    for text, value, count, other in zip(texts, sums, tokens, alone):
        options.append({
            "sum_logits": value, "num_tokens": count, "num_tokens_all": 40 + count, "is_greedy": False,
            "sum_logits_uncond": other, "logits_per_token": value / count,
            "logits_per_char": value / len(text), "bits_per_byte": -BITS * value / len(text.encode()),
            "num_chars": len(text)})

    def best(name, least=False):
        values = [option[name] for option in options]
        return values.index(min(values) if least else max(values))

    uncond = [value - other for value, other in zip(sums, alone)]
    predicted = {
        "raw": best("sum_logits"), "per_token": best("logits_per_token"), "per_char": best("logits_per_char"),
        "per_byte": best("bits_per_byte", least=True), "uncond": uncond.index(max(uncond))}
    metrics = {f"predicted_index_{name}": index for name, index in predicted.items()}
    metrics["correct_choice"] = label
    metrics |= {f"acc_{name}": int(index == label) for name, index in predicted.items()}
    metrics |= {"no_answer": 0, "sum_logits_corr": sums[label]}
    return {"doc_id": number, "native_id": f"toy_{number}", "metrics": metrics, "model_output": options,
            "label": label, "task_hash": "0", "model_hash": "0"}


folder = Path(sys.argv[1])
folder.mkdir(exist_ok=True)
rows = [row(number, *question) for number, question in enumerate(QUESTIONS)]
lines = "".join(json.dumps(row) + "\n" for row in rows)
(folder / "task-000-toy-predictions.jsonl").write_text(lines)
request = {"request_type": "loglikelihood", "doc": {"id": "toy_0", "query": "Question: What barks?\nAnswer:"},
           "request": {"context": "Question: What barks?\nAnswer:", "continuation": " a dog"}, "idx": 0,
           "task_name": "toy", "doc_id": 0, "native_id": "toy_0", "label": 0}
(folder / "task-000-toy-requests.jsonl").write_text(json.dumps(request) + "\n")
metrics = {"task_name": "toy", "model_config": {"model": "toy/small", "revision": None, "max_length": 2048},
           "task_config": {"task_name": "toy", "num_shots": 5, "metadata": {"alias": "toy:rc::olmes"}},
           "metrics": {"acc_raw": 2 / 3}, "num_instances": 3}
(folder / "task-000-toy-metrics.json").write_text(json.dumps(metrics, indent=2))
