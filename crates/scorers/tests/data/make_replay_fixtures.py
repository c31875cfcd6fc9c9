"""Writes the small files of saved logits that tests/it/replay reads.

    python make_replay_fixtures.py        # needs numpy and pyarrow

The rows are the same in every file; only the way of writing them differs.
"""

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
IDS = [0, 7, 300, 70000, -2]
# All exact in 16 bits. 10 and 92 are a line feed and a backslash in some byte, which the
# text protocol must escape; the last row holds bytes above 127.
ROWS = [[1.5, -0.25, 10.0], [92.0, 2.0, 0.0], [-7.0, 0.5, 1024.0], [3.0, 13.0, -92.0], [-0.0625, 255.0, 128.0]]


def dump(name, rows, protocol):
    (HERE / f"replay_{name}.pkl").write_bytes(pickle.dumps(rows, protocol=protocol))


def rows(convert, key="logits_options", ids=IDS):
    return [{"id": i, key: convert(r)} for i, r in zip(ids, ROWS)]


def array(dtype):
    return lambda row: np.array(row, dtype=dtype)


for protocol in range(6):
    dump(f"f4_protocol{protocol}", rows(array("<f4")), protocol)
    dump(f"f8_big_endian_protocol{protocol}", rows(array(">f8")), protocol)
    dump(f"list_protocol{protocol}", rows(list), protocol)
    dump(f"scalars_protocol{protocol}", rows(lambda r: [np.float32(v) for v in r], ids=[np.int64(i) for i in IDS]), protocol)

dump("f2", rows(array("<f2")), 4)
dump("f2_big_endian", rows(array(">f2")), 2)
for dtype in ("i1", "<i2", ">i4", "<i8", "u1", "<u2", ">u4", "<u8"):
    whole = [{"id": i, "logits": np.array([i, 100 - i, 127], dtype=dtype)} for i in range(3)]
    dump(f"{dtype.strip('<>')}_array", whole, 4)
dump("tuples", rows(tuple), 3)
dump("optional_fields", [dict(r, answer="B", probs=np.ones(3), seen=True) for r in rows(array("<f4"))], 4)
dump("logprobs", [{"id": i, "logprobs": np.log(np.array([0.5, 0.25, 0.2]))} for i in range(2)], 4)
dump("matrix", rows(lambda r: np.array([r], dtype="f4")), 4)
dump("object_array", rows(array(object)), 4)

lists = pa.table({"note": ["x"] * 5, "logits": pa.array(ROWS, pa.list_(pa.float32())), "id": pa.array(IDS, pa.int64())})
pq.write_table(lists, HERE / "replay_list.parquet")
columns = pa.table({"logit_C": [r[2] for r in ROWS], "id": pa.array(IDS, pa.int32()), "logit_A": [r[0] for r in ROWS], "logit_B": [r[1] for r in ROWS], "note": ["x"] * 5})
pq.write_table(columns, HERE / "replay_columns.parquet", compression="zstd")
pq.write_table(pa.table({"id": [1, None], "A": [1.0, 2.0], "B": [0.0, 0.0]}), HERE / "replay_null_id.parquet")
pq.write_table(pa.table({"id": [1, 2], "logits": [[1.0, 2.0], [1.0, None]]}), HERE / "replay_null_value.parquet")
pq.write_table(pa.table({"id": [1], "logits": [[0.5] * 200000]}), HERE / "replay_long_list.parquet")
