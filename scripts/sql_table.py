"""Write docs/SQL.md: which statements of Databricks work here, from fixtures/sql."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "SQL.md"
sys.path.insert(0, str(ROOT))

from tests import sql_corpus  # noqa: E402 - the folder of tests is on the path only now

HEAD = """\
# SQL

What the local engine answers, statement by statement. Every line is a case of the tests: its
statements and their answers are in [`fixtures/sql`](../fixtures/sql), and run through Spark
Connect. This page is written by `python scripts/sql_table.py`.

`works`: the answers are Spark's and Delta's own, or laketop's where Databricks adds to them; `with`
an error that the case also shows, where Databricks has one too. `refused`: not here, and the
sentence is what the engine says.
"""
TAIL = """
## Sample data

Synthetic, made when it is first read, and the same on every machine. Names, columns and types are
those of the public sets; the values are not.

| name | rows | format |
|---|---|---|
| `samples.nyctaxi.trips` | 21,932 | table |
| `samples.wanderbricks.bookings` | 20,000 | table |
| `/databricks-datasets/nyctaxi-with-zipcodes/subsampled` | 21,932 | Delta, by path |
| `/databricks-datasets/retail-org/sales_orders/` | 4,000 | JSON, by path |

Nobody writes to them. Other samples of Databricks are not here.

## Auto Loader

`spark.readStream.format("cloudFiles")` reads each file of a folder once. It follows
`cloudFiles.format`, `schemaLocation`, `schemaHints`, `inferColumnTypes`, `maxFilesPerTrigger`,
`maxBytesPerTrigger`, `schemaEvolutionMode`; options that only say how files are found change
nothing; others are refused by name.

What does not fit the schema of JSON and CSV, by its type or its name, is a JSON text in
`_rescued_data`, or in the column that `rescuedDataColumn` names, with the file's path as
`_file_path`; so it is with `read_files`, `spark.read` and `COPY INTO`. A malformed record is there
as `_corrupt_record`. The columns of CSV with a header are then found by their names. In other
formats nothing is rescued: what does not fit an inferred type of XML fails the stream, and
`rescuedDataColumn` is refused.

## Dropped tables

`DROP TABLE` of a managed Delta table keeps it for seven days of the machine's own time, its files
too. `UNDROP TABLE` brings it back with its owner, tags, grants, row filter and masks, without its
primary and foreign keys. `DROP TABLE ... PURGE` deletes at once, as dropping its schema or catalog
does.
`INSERT ... REPLACE USING` and `REPLACE ON` stand as MERGE in a table's history.

## Python

A scalar function of SQL in Python runs on the interpreter of the session that calls it, with what
that has installed, and with the rights of the engine: nothing shuts it in. A value of another type
than it `RETURNS` is an error.

`from delta.tables import DeltaTable` works over Spark Connect as it is: `forName`, `forPath`,
`isDeltaTable`, `convertToDelta`, the builders, `merge`, `update`, `delete`, `history`, `detail`,
`optimize`, `vacuum`, `restoreToVersion`, `restoreToTimestamp`, `clone`, shallow and deep.
"""

OTHER = """
Only what is answered otherwise than above. [runtimes.md](runtimes.md) tells how a project chooses a
runtime; what its Spark lacks is refused.
"""


_OF_SPARK = "INTERNAL_ERROR"
"""What is no answer to a statement: its Spark cannot plan what Databricks carries out."""


def status(case: sql_corpus.Case) -> str:
    """Return what the table says of a case."""
    if case.refusal is not None:
        return f"refused: {case.refusal}"
    told = ", ".join(f"`{condition}`" for condition in case.errors)
    if not case.works:
        return f"error {told}"
    if _OF_SPARK in case.errors:
        return f"fails with `{_OF_SPARK}`, an error of this Spark"
    return f"works, with {told}" if told else "works"


def lines(cases: list[sql_corpus.Case]) -> str:
    """Return the lines of a table of these cases."""
    titles = ((case.title.replace("|", chr(92) + "|"), case) for case in cases)
    return "".join(f"| {title} | {status(case)} |\n" for title, case in titles)


def runtimes() -> str:
    """Return what other runtimes than the default one answer otherwise."""
    parts = []
    for folder in sorted(path for path in sql_corpus.FOLDER.iterdir() if path.is_dir()):
        parts.append(
            f"\n## With the runtime {folder.name}\n{OTHER}\n| statement | here |\n|---|---|\n"
        )
        parts += [lines(sql_corpus.read(file)) for file in sorted(folder.glob("*.sql"))]
    return "".join(parts)


def document() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    for file in sorted(sql_corpus.FOLDER.glob("*.sql")):
        title = file.stem.replace("_", " ").capitalize()
        parts.append(f"\n## {title}\n\n| statement | here |\n|---|---|\n")
        parts.append(lines(sql_corpus.read(file)))
    return "".join(parts) + TAIL + runtimes()


def main() -> int:
    """Write the page."""
    DOCUMENT.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
