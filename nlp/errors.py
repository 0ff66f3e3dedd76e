"""What can go wrong in this room.

NlpError            the root; a message is one line that ends with what to do
  ModelMissing      the model's folder, or a file that it needs, is not there
  ModelCorrupt      a file of the model is there and cannot be what was shipped
  CuesInvalid       the file of cues cannot be read as one
  WorkerLost        a process that assessed texts was ended from outside
"""

from __future__ import annotations


class NlpError(Exception):
    """Reading a text cannot be set up."""


class ModelMissing(NlpError):
    """The model's folder, or a file that it needs, is not there."""


class ModelCorrupt(NlpError):
    """A file of the model is there and cannot be what was shipped."""


class CuesInvalid(NlpError):
    """The file of cues cannot be read as one."""


class WorkerLost(NlpError):
    """A process that assessed texts was ended from outside."""
