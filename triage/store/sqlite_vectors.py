"""Vectors of mentions in the SQLite store's file, compared one by one.

A vector goes with the words that it was made of: triggers remove it in the transaction that buries
or changes its mention. Each number is kept as one byte above those of ASCII, so that no name can
stand in a vector by chance where forgetting looks for what is left (`outcry.proof`).
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from typing import Any, Final

import msgspec
import numpy as np

from triage.store.analysis import Hit, Progress, Read, SearchFilter, words_of
from triage.store.base import StoredMention
from triage.store.records import micros
from triage.store.sqlite_file import Database
from triage.store.sqlite_rows import GIVEN, given

PAGE: Final = 500
COMPARED: Final = 20_000
"""Vectors that are in memory at once."""
LEVELS: Final = 63
MIDDLE: Final = 192
"""The byte of zero: all bytes are from 129 to 255."""
BODY: Final = "CAST(m.body AS TEXT)"
_mention = msgspec.json.Decoder(StoredMention).decode


class SqliteVectors:
    """Composed into `triage.store.sqlite.SqliteStore`."""

    _file: Database

    def make_vectors(self, model: str, read: Read, progress: Progress) -> int:
        missing = (
            "FROM mentions AS m LEFT JOIN vectors AS v ON v.uid = m.uid "
            "WHERE v.uid IS NULL AND NOT m.deleted"
        )
        insert = (  # what was buried or changed while it was read is left out
            "REPLACE INTO vectors SELECT ?1, ?2, ?4, ?5 FROM mentions AS m WHERE m.uid = ?1 "
            f"AND NOT m.deleted AND json_extract({BODY}, '$.content_hash') = ?3"
        )
        with self._file.write() as db:
            db.execute("DELETE FROM vectors WHERE model <> ?", (model,))
            total = db.execute(f"SELECT count(*) {missing}").fetchone()[0]
        done, last = 0, ""
        statement = f"SELECT m.body {missing} AND m.uid > ? ORDER BY m.uid LIMIT {PAGE}"
        while page := self._bodies(statement, last):
            rows = [_mention(body) for body in page]
            made = map(packed, read([words_of(row) for row in rows]))
            with self._file.write() as db:
                db.executemany(
                    insert,
                    [
                        (row.uid, model, row.content_hash, *vector)
                        for row, vector in zip(rows, made, strict=True)
                    ],
                )
            last = rows[-1].uid
            done += len(rows)
            progress(done, total)
        return done

    def _bodies(self, statement: str, *values: Any) -> list[bytes]:
        with self._file.read() as db:
            return [body for (body,) in db.execute(statement, values)]

    def nearest(
        self, model: str, vector: Sequence[float], wanted: SearchFilter, limit: int
    ) -> tuple[Hit, ...]:
        musts, values = _conditions(wanted)
        join = "JOIN mentions AS m ON m.uid = v.uid " if musts else ""
        statement = (
            f"SELECT v.rowid, v.uid, v.scale, v.vector FROM vectors AS v {join}"
            f"WHERE {' AND '.join(['v.rowid > ?', 'v.model = ?', *musts])} "
            f"ORDER BY v.rowid LIMIT {COMPARED}"
        )
        asked = np.asarray(vector, dtype=np.float32)
        asked /= max(float(np.linalg.norm(asked)), 1e-9)
        best: list[tuple[float, str]] = []
        last = 0
        while True:
            with self._file.read() as db:
                page = db.execute(statement, (last, model, *values)).fetchall()
            if page:
                last = page[-1][0]
                near = _cosines(page, asked)
                found = zip((-near).tolist(), (row[1] for row in page), strict=True)
                best = nsmallest(limit, [*best, *(one for one in found if one[0] < 0)])
            if len(page) < COMPARED:
                return tuple(Hit(uid=uid, score=-far) for far, uid in best)


def packed(vector: Sequence[float]) -> tuple[float, bytes]:
    """The size of a step, and a byte for each number, of the vector made as long as 1."""
    values = np.asarray(vector, dtype=np.float32)
    values /= max(float(np.linalg.norm(values)), 1e-9)
    scale = float(np.abs(values).max(initial=0.0)) / LEVELS or 1.0
    return scale, (np.rint(values / scale) + MIDDLE).astype(np.uint8).tobytes()


def _cosines(page: Sequence[Any], asked: Any) -> Any:
    flat = np.frombuffer(b"".join(row[3] for row in page), dtype=np.uint8)
    steps = flat.reshape(len(page), -1).astype(np.float32) - MIDDLE
    scales = np.array([row[2] for row in page], dtype=np.float32)
    return (steps @ asked) * scales


def _conditions(wanted: SearchFilter) -> tuple[list[str], list[Any]]:
    musts: list[str] = []
    values: list[Any] = []
    for field, chosen in wanted.chosen().items():
        musts.append(f"json_extract({BODY}, '$.{field}') IN {GIVEN}")
        values.append(given(chosen))
    if wanted.since is not None:
        musts.append("m.created_at >= ?")
        values.append(micros(wanted.since))
    return musts, values
