"""Which model reads in a deployment: the shipped one, or a challenger of its own that won.

A deployment's own models lie in ``models/`` of its home, a folder each, and one small file for
each shipped model says which of them has its place; it is replaced in one step. Parts that an
earlier champion has read are not read again, so its name is kept for ever.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from listeners.landing import Landing
from models.contest import Contest
from models.errors import ModelUnfit, ModelUnknown
from nlp.loading import load, model_id

SHIPPED = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Who has been champion."""

    stack: tuple[str, ...] = ()
    """Folders, the one in use last; rolling back takes it away."""
    was: tuple[str, ...] = ()
    """Every other model that has been in use, as ``baseline-en/1``, the last one first."""


class Champions:
    """The models of a deployment's own that stem from one shipped model."""

    def __init__(self, home: Path, shipped: Path) -> None:
        self.folder = home / "models"
        self.shipped = shipped
        self._file = f"{shipped.name}.json"
        # Small files that appear whole or not at all are what a landing zone is good at.
        self._files = Landing(self.folder)

    @property
    def line(self) -> Line:
        """Who has been champion; nobody but the shipped model where none was promoted.

        Raises:
            ModelUnfit: if the file that says so is damaged.
        """
        content = self._files.read_document(self._file)
        try:
            return msgspec.json.decode(content, type=Line) if content else Line()
        except msgspec.DecodeError as error:
            raise ModelUnfit(
                f"{self.folder / self._file} is damaged ({error}): restore it, or remove it to "
                "use the shipped model"
            ) from None

    @property
    def champion(self) -> Path:
        """The folder of the model in use."""
        stack = self.line.stack
        return self.folder / stack[-1] if stack else self.shipped

    def names(self) -> list[str]:
        """The folders of all challengers, the oldest first."""
        found = self.folder.glob(f"{self.shipped.name}-own~*/contest.json")
        return sorted((path.parent.name for path in found), key=version_of)

    def contest(self, name: str) -> Contest:
        """How a challenger did.

        Raises:
            ModelUnknown: if there is none of that name.
        """
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise ModelUnknown(f"no challenger is called {name!r}; there is {known}")
        return msgspec.json.decode((self.folder / name / "contest.json").read_bytes(), type=Contest)

    def promote(self, name: str, *, lost_too: bool = False) -> None:
        """Put a challenger in the champion's place; again is harmless.

        Raises:
            ModelUnfit: if it has not won, unless ``lost_too``.
            ModelUnknown, NlpError: if it is not there, or cannot be loaded.
        """
        found, line = self.contest(name), self.line
        if line.stack and line.stack[-1] == name:
            return
        if not found.won and not lost_too:
            raise ModelUnfit(f"{name} has not won ({found.why[0]}); --lost-too promotes it")
        load(self.folder / name, 1)
        self._write(line, (*line.stack, name))

    def rollback(self) -> Path:
        """Put the champion before this one in its place; returns the folder now in use.

        Raises:
            ModelUnfit: if the shipped model is in use.
        """
        line = self.line
        if not line.stack:
            raise ModelUnfit("the shipped model is in use: there is nothing to roll back")
        self._write(line, line.stack[:-1])
        return self.champion

    def _write(self, line: Line, stack: tuple[str, ...]) -> None:
        now = model_id(self.folder / stack[-1] if stack else self.shipped)
        was = dict.fromkeys((model_id(self.champion), *line.was))
        fresh = Line(stack=stack, was=tuple(one for one in was if one != now))
        self._files.write_document(self._file, msgspec.json.encode(fresh))


def version_of(name: str) -> int:
    """The number that a challenger's folder ends with."""
    return int(name.rpartition("~")[2])
