"""Questions for `bench.search`: in words that a manager would type, by the reason they are about.

Written without looking at the posts that they are asked of.
"""

from __future__ import annotations

from typing import Final

QUESTIONS: Final = {
    "Lost Luggage": (
        *("my suitcase never arrived", "lost bags", "luggage missing at the carousel"),
        *("nobody knows where my bag is", "baggage still not delivered after days"),
        *(
            "bag left behind at another airport",
            "waiting for baggage claim",
            "no clothes, bag lost",
        ),
    ),
    "Late Flight": (
        *("plane is hours late", "delayed departure", "sitting on the runway"),
        *("missed my connection because of the delay", "waiting for a crew", "stuck at the gate"),
        *("mechanical problem, still not boarded", "late again, every time"),
    ),
    "Cancelled Flight": (
        *("flight has been cancelled", "cancelled and not rebooked", "cancelled without notice"),
        *("stranded after cancellation", "need another flight, mine was cancelled"),
        *("cancelled because of weather", "hotel for the night after cancelling"),
        "they cancelled our trip",
    ),
    "Customer Service Issue": (
        *("nobody answers the phone", "on hold for hours", "no reply to my email"),
        *("rude on the telephone", "agent hung up on me", "worst customer service"),
        *("cannot reach a human being", "refund still not received"),
    ),
    "Flight Booking Problems": (
        *("website does not let me book", "cannot check in online", "booking error"),
        *("app keeps crashing when I pay", "reservation disappeared", "cannot use my miles"),
        *("wrong name on my ticket", "charged twice for a ticket"),
    ),
    "Bad Flight": (
        *("cramped seat", "wifi on board does not work", "dirty cabin", "no food on a long flight"),
        *("broken entertainment screen", "seats apart from my child", "freezing on the plane"),
        "uncomfortable old plane",
    ),
    "Flight Attendant Complaints": (
        *("rude flight attendant", "unfriendly crew", "stewardess yelled at a passenger"),
        *("gate agent was nasty", "staff did not care", "crew refused to help with a bag"),
        *("attitude of the cabin crew", "pilot never told us anything"),
    ),
    "Damaged Luggage": (
        *("suitcase came back broken", "damaged bag", "wheel torn off my case"),
        "things in my bag are smashed",
    ),
    "longlines": (
        *("long line at the counter", "queue at check-in", "hundreds of people waiting in line"),
        "only one agent for a huge line",
    ),
}
