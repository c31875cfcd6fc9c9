#!/usr/bin/env python3
"""Reads a Parquet file of answers with pandas, Polars and DuckDB and compares what they see.

    .tools/verify/venv/bin/python scripts/verify/parquet.py questions.parquet [--all]

Libraries that are not installed are left out, unless --all is given; with none of them the exit
code is 3. run.sh installs them.
"""

import math
import sys


def with_pandas(path):
    import pandas

    frame = pandas.read_parquet(path)
    types = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert types["correct"] == "bool", types["correct"]
    assert types["prob_A"] == "float64", types["prob_A"]
    assert types["options"] == "int32", types["options"]
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def with_polars(path):
    import polars

    frame = polars.read_parquet(path)
    assert frame.schema["correct"] == polars.Boolean, frame.schema
    assert frame.schema["id"] == polars.String, frame.schema
    # A filter on the scan reads statistics of the row groups as well.
    right = polars.scan_parquet(path).filter(polars.col("correct")).collect()
    assert right.height == frame["correct"].sum()
    return frame.to_dicts()


def with_duckdb(path):
    import duckdb

    result = duckdb.execute("select * from read_parquet(?)", [path])
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row)) for row in result.fetchall()]
    grouped = duckdb.execute(
        "select model, task, avg(correct::int) from read_parquet(?) group by all", [path]
    ).fetchall()
    assert all(0 <= accuracy <= 1 for _, _, accuracy in grouped), grouped
    return rows


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return a == b


def check_row(row):
    letters = [name[5:] for name in row if name.startswith("prob_")]
    probabilities = [row[f"prob_{letter}"] for letter in letters]
    there = [p for p in probabilities if p is not None]
    assert len(there) == row["options"], row
    assert abs(sum(there) - 1) < 1e-6, row
    assert letters[row["answer_index"]] == row["answer"], row
    assert row["correct"] == (row["top"] == row["answer"]), row
    assert row["split"] in ("calibration", "test"), row
    for score in ("lac", "aps"):
        members = row[f"{score}_set"]
        if members is not None:
            assert len(members) == row[f"{score}_size"], row
            assert (row["answer"] in members) == row[f"covered_{score}"], row
    assert len(row["key"]) == 64, row


def main():
    path = sys.argv[1]
    seen = {}
    for name, reader in [
        ("pandas", with_pandas),
        ("polars", with_polars),
        ("duckdb", with_duckdb),
    ]:
        try:
            seen[name] = reader(path)
        except ImportError as error:
            if "--all" in sys.argv[2:]:
                raise
            print(f"{name} is left out: {error}")
    if not seen:
        print("pandas, polars and duckdb are not installed")
        return 3
    (first, rows), *others = seen.items()
    for row in rows:
        check_row(row)
    for name, theirs in others:
        assert len(rows) == len(theirs), (first, name)
        for mine, other in zip(rows, theirs):
            assert mine.keys() == other.keys(), (first, name)
            for key in mine:
                assert same(mine[key], other[key]), (first, name, key, mine[key], other[key])
    print(f"{len(rows)} rows, the same in {', '.join(seen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
