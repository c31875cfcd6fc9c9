"""Writes the made-up details in the layout of lighteval 0.13: `python lighteval.py`, with pyarrow."""

from copy import deepcopy
from pathlib import Path

import pyarrow
import pyarrow.parquet


def row(number, choices, gold, logprobs, tokens, metric):
    return {
        "doc": {
            "query": f"Question {number}?\nAnswer:",
            "choices": choices,
            "gold_index": gold,
            "id": str(number),
            "task_name": "toy:texts|5",
        },
        "metric": metric,
        "model_response": {
            "logprobs": logprobs,
            "output_tokens": [[7] * count for count in tokens],
            "unconditioned_logprobs": None,
        },
    }


def write(name, rows):
    table = pyarrow.Table.from_pylist(rows)
    path = Path(__file__).parent / f"lighteval_{name}.parquet"
    pyarrow.parquet.write_table(table, path, compression="snappy")


right = {"acc": 0, "acc_norm": 1, "acc_norm_token": 1, "prob": 0.25}
texts = [
    row(0, [" red", " a long answer"], 1, [-2.0, -4.0], [1, 4], right),
    row(1, [" one", " two"], 0, [-1.0, -3.5], [1, 1], {**right, "acc": 1}),
    row(2, [" no", " perhaps not", " yes"], 1, [-2.0, -4.0, -9.0], [1, 1, 1], right),
]
write("texts", texts)


def broken(name, change):
    rows = deepcopy(texts[:2])
    change(rows)
    write(name, rows)


broken("gold", lambda rows: rows[1]["doc"].update(gold_index=4))
broken("nan", lambda rows: rows[1]["model_response"].update(logprobs=[-1.0, float("nan")]))
broken("twice", lambda rows: rows[1]["doc"].update(id="0"))
broken("short", lambda rows: rows[1]["model_response"].update(logprobs=[-1.0]))
broken("text", lambda rows: [row["model_response"].update(logprobs=[]) for row in rows])


def several(rows):
    rows[0]["doc"]["gold_index"], rows[1]["doc"]["gold_index"] = [1], [0, 1]


broken("several", several)


def cut(rows):
    rows[0]["model_response"]["truncated_tokens_count"] = 0
    rows[1]["model_response"]["truncated_tokens_count"] = 37


broken("cut", cut)
