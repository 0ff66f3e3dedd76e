"""Triage decides: one case, its priority, its department, its clock; and keeps it in a store."""

from triage.casework import fold_cases
from triage.departments import Department
from triage.fold_report import FoldReport
from triage.intake import StoreReport, store_records
from triage.priority import explain
from triage.routing import Router
from triage.rules import Rules
from triage.ticket import Event, Handling, Part, Ticket

__all__ = [
    "Department",
    "Event",
    "FoldReport",
    "Handling",
    "Part",
    "Router",
    "Rules",
    "StoreReport",
    "Ticket",
    "explain",
    "fold_cases",
    "store_records",
]
