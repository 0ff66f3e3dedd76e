"""What can go wrong in this room.

ModelsError        the root; a message is one line that ends with what to do
  ModelUnknown     no shipped model has that name
  DataMissing      a labelled data set is not where it was said to be, or lacks a column
  ModelUnfit       a model must not be shipped as it is
  TrainingFailed   the program that trains could not do its work
"""

from __future__ import annotations


class ModelsError(Exception):
    """Training or judging a model cannot go on."""


class ModelUnknown(ModelsError):
    """No shipped model has that name."""


class DataMissing(ModelsError):
    """A labelled data set is not where it was said to be, or lacks a column."""


class ModelUnfit(ModelsError):
    """A model must not be shipped as it is."""


class TrainingFailed(ModelsError):
    """The program that trains could not do its work; its last line says why."""


def lacking(error: ImportError, extra: str) -> str:
    """What to tell somebody whose install lacks a package of an extra."""
    return f"{error.name} is missing; install the extra: pip install 'outcry-triage[{extra}]'"
