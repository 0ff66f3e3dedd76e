"""What of a deployment's own training is in use: the model that reads, and how cases are routed.

Both lie in ``models/`` of its home, a folder each challenger, and one small file for each place
says who has it; the file is replaced in one step. Parts that an earlier champion has read are not
read again, so its name is kept for ever.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from listeners.landing import Landing
from models.contest import Contest
from models.errors import ModelUnfit, ModelUnknown
from nlp.loading import load, model_id
from nlp.topics_file import load_topics
from outcry.routing_contest import RoutingContest

KEPT = 4
"""Challengers that lost and are kept, the newest."""


class Fought(Protocol):
    """How a challenger did."""

    @property
    def inputs(self) -> str: ...
    @property
    def won(self) -> bool: ...
    @property
    def why(self) -> tuple[str, ...]: ...


C = TypeVar("C", bound=Fought)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Who has been champion."""

    stack: tuple[str, ...] = ()
    """Folders, the one in use last; rolling back takes it away."""
    was: tuple[str, ...] = ()
    """Every other model that has been in use, as ``baseline-en/1``, the last one first."""


class Succession(Generic[C]):
    """One place, and those who have had it; the first comes with the product or the settings.

    Args:
        home: the deployment's folder.
        first: who has the place when nobody was promoted.
        form: of ``contest.json``.
    """

    def __init__(self, home: Path, first: str, form: type[C]) -> None:
        self.folder = home / "models"
        self.first = first
        self._form = form
        self._file = f"{first}.json"
        # Small files that appear whole or not at all are what a landing zone is good at.
        self._files = Landing(self.folder)

    @property
    def line(self) -> Line:
        """Who has been champion; nobody but the first where none was promoted.

        Raises:
            ModelUnfit: if the file that says so is damaged.
        """
        content = self._files.read_document(self._file)
        try:
            return msgspec.json.decode(content, type=Line) if content else Line()
        except msgspec.DecodeError as error:
            raise ModelUnfit(
                f"{self.folder / self._file} is damaged ({error}): restore it, or remove it to "
                f"use {self._first_in_words()}"
            ) from None

    @property
    def in_use(self) -> str:
        """The name of who has the place."""
        stack = self.line.stack
        return stack[-1] if stack else self.first

    def names(self) -> list[str]:
        """The folders of all challengers, the oldest first."""
        found = self.folder.glob(f"{self.first}-own~*/contest.json")
        return sorted((path.parent.name for path in found), key=_version_of)

    def contest(self, name: str) -> C:
        """How a challenger did.

        Raises:
            ModelUnknown: if there is none of that name.
        """
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise ModelUnknown(f"no challenger is called {name!r}; there is {known}")
        return msgspec.json.decode(
            (self.folder / name / "contest.json").read_bytes(), type=self._form
        )

    def next_version(self) -> int:
        """The number of the next challenger; none is given twice."""
        return max(map(_version_of, (*self.names(), *self.line.stack)), default=0) + 1

    def trained_from(self, inputs: str) -> str | None:
        """The challenger of the same rows, day and models; it need not be trained again."""
        found = (name for name in reversed(self.names()) if self.contest(name).inputs == inputs)
        return next(found, None)

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
        self._try(self.folder / name)
        self._write(line, (*line.stack, name))

    def rollback(self) -> str:
        """Put the champion before this one in its place; returns who is now in use.

        Raises:
            ModelUnfit: if it is the first.
        """
        line = self.line
        if not line.stack:
            first = self._first_in_words()
            raise ModelUnfit(f"{first} is in use: there is nothing to roll back")
        self._write(line, line.stack[:-1])
        return self.in_use

    def remove_losers(self) -> None:
        """Keep the newest of those that lost; who was ever in use stays."""
        used = {word.replace("/", "~") for word in self.line.was} | {*self.line.stack}
        lost = [name for name in self.names() if name not in used]
        for name in lost[:-KEPT]:
            shutil.rmtree(self.folder / name)

    def _write(self, line: Line, stack: tuple[str, ...]) -> None:
        now = self._id(stack[-1] if stack else self.first)
        was = dict.fromkeys((self._id(self.in_use), *line.was))
        fresh = Line(stack=stack, was=tuple(one for one in was if one != now))
        self._files.write_document(self._file, msgspec.json.encode(fresh))

    def _try(self, folder: Path) -> None:
        raise NotImplementedError

    def _id(self, name: str) -> str:
        return name.replace("~", "/")

    def _first_in_words(self) -> str:
        raise NotImplementedError


class Champions(Succession[Contest]):
    """The models of a deployment's own that stem from one shipped model."""

    def __init__(self, home: Path, shipped: Path) -> None:
        super().__init__(home, shipped.name, Contest)
        self.shipped = shipped

    @property
    def champion(self) -> Path:
        """The folder of the model in use."""
        return self._folder_of(self.in_use)

    def _folder_of(self, name: str) -> Path:
        return self.shipped if name == self.first else self.folder / name

    def _try(self, folder: Path) -> None:
        load(folder, 1)

    def _id(self, name: str) -> str:
        return model_id(self._folder_of(name))

    def _first_in_words(self) -> str:
        return "the shipped model"


class Routers(Succession[RoutingContest]):
    """What a deployment has learnt from agents' corrections of the routing."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "routing", RoutingContest)

    @property
    def champion(self) -> Path | None:
        """The folder of what is in use; None where the settings' examples are."""
        stack = self.line.stack
        return self.folder / stack[-1] if stack else None

    def _try(self, folder: Path) -> None:
        load_topics(folder)

    def _first_in_words(self) -> str:
        return "the settings' own routing"


def _version_of(name: str) -> int:
    return int(name.rpartition("~")[2])
