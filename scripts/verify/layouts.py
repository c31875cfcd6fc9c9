#!/usr/bin/env python3
"""Ten made-up questions in every layout, written by real writers of Parquet, are read alike.

    layouts.py SURENESS    the binary

pyarrow, pandas and datasets write the rows of crates/questions/tests/data/layouts with several row
groups, compressions and types of text; `sureness data import` must store what it stores for JSON
lines.
"""

import gzip
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import datasets
import pandas
import pyarrow
import pyarrow.parquet

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "../../crates/questions/tests/data/layouts"


def fixtures():
    spec = importlib.util.spec_from_file_location("make", FIXTURES / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def retyped(table, new, nested):
    """The table with another type of text, inside lists and structs too if nested."""

    def of(kind):
        if pyarrow.types.is_string(kind):
            return new
        if not nested:
            return kind
        if pyarrow.types.is_list(kind):
            return pyarrow.large_list(of(kind.value_type))
        if pyarrow.types.is_struct(kind):
            return pyarrow.struct([field.with_type(of(field.type)) for field in kind])
        return kind

    fields = [field.with_type(of(field.type)) for field in table.schema]
    return table.cast(pyarrow.schema(fields))


def variants(rows, folder):
    """Names and files of the same rows."""
    table = pyarrow.Table.from_pylist(rows)
    for groups, codec in ((1, "none"), (3, "snappy"), (10, "zstd"), (4, "gzip"), (7, "lz4")):
        path = folder / f"{codec}-{groups}.parquet"
        pyarrow.parquet.write_table(
            table, path, row_group_size=groups, compression=codec, use_dictionary=groups % 2 == 0
        )
        yield f"pyarrow, {codec}, row groups of {groups}", path
    # pyarrow cannot write string_view inside lists.
    kinds = (("large_string", pyarrow.large_string(), True), ("string_view", pyarrow.string_view(), False))
    for name, kind, nested in kinds:
        path = folder / f"{name}.parquet"
        other = retyped(table, kind, nested)
        pyarrow.parquet.write_table(other, path, data_page_version="2.0")
        yield f"pyarrow, {name}, pages of version 2", path
    flat = [
        table.schema.get_field_index(field.name)
        for field in table.schema
        if pyarrow.types.is_string(field.type)
    ]
    coded = table
    for place in flat:
        coded = coded.set_column(place, coded.field(place).name, coded.column(place).dictionary_encode())
    pyarrow.parquet.write_table(coded, folder / "coded.parquet")
    yield "pyarrow, dictionary type", folder / "coded.parquet"
    pandas.DataFrame(rows).to_parquet(folder / "pandas.parquet")
    yield "pandas", folder / "pandas.parquet"
    datasets.Dataset.from_list(rows).to_parquet(folder / "datasets.parquet", batch_size=4)
    yield "datasets", folder / "datasets.parquet"
    datasets.Dataset.from_list(rows).to_json(folder / "datasets.jsonl")
    packed = folder / "datasets.jsonl.gz"
    packed.write_bytes(gzip.compress((folder / "datasets.jsonl").read_bytes()))
    yield "datasets, JSON lines, gzip", packed


def read(sureness, path, layout):
    """What an import of the file stores; None as the layout detects it."""
    with tempfile.TemporaryDirectory() as home:
        command = [sureness, "data", "import", "own", str(path)]
        command += ["--format", layout] if layout else []
        done = subprocess.run(
            command, env=os.environ | {"SURENESS_HOME": home}, capture_output=True, text=True
        )
        if done.returncode != 0:
            return done.stderr
        return (Path(home) / "data" / "own.jsonl").read_text("utf-8")


def main():
    sureness = sys.argv[1]
    datasets.disable_progress_bars()
    make = fixtures()
    count, differ = 0, []
    for layout in make.LAYOUTS:
        expected = read(sureness, FIXTURES / f"{layout}.jsonl", layout)
        with tempfile.TemporaryDirectory() as folder:
            for name, path in variants(make.rows(layout), Path(folder)):
                # Text may have the generic layout as well, with other ids.
                found = read(sureness, path, None if path.suffix == ".parquet" else layout)
                count += 1
                if found != expected:
                    differ.append(f"{layout}, {name}: {found[:300]}")
    print(f"layouts: {count} files of {len(make.LAYOUTS)} layouts, {len(differ)} read otherwise")
    print("\n".join(differ))
    sys.exit(bool(differ) or count < 300)


if __name__ == "__main__":
    main()
