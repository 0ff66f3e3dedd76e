"""What an encoder's heads say, and in which columns of its output they stand."""

from __future__ import annotations

from typing import Final

SENTIMENT: Final = slice(0, 3)
COMPLAINT: Final = 3
SEVERITY: Final = slice(4, 8)
REASON: Final = slice(8, 18)
WIDTH: Final = 18

REASONS: Final = (
    "Bad Flight",
    "Can't Tell",
    "Cancelled Flight",
    "Customer Service Issue",
    "Damaged Luggage",
    "Flight Attendant Complaints",
    "Flight Booking Problems",
    "Late Flight",
    "Lost Luggage",
    "longlines",
)
"""The negative reasons of Twitter US Airline Sentiment (2015), as spelt there."""
