#!/usr/bin/env python3
"""Checks JSON files against a published schema with a full validator.

    .tools/verify/venv/bin/python scripts/verify/schema.py docs/schema/document.schema.json report.json…

run.sh installs the package jsonschema.
"""

import json
import sys

from jsonschema import Draft202012Validator


def main():
    schema_path, *paths = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    failed = False
    for path in paths:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        errors = list(validator.iter_errors(document))
        failed = failed or bool(errors)
        print(f"{path}: {'valid' if not errors else 'not valid'}")
        for error in errors:
            print(f"  {error.json_path}: {error.message}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
