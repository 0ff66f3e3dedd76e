"""The departments of a sensible contact centre, for operators who have not named their own."""

from __future__ import annotations

import msgspec


class Department(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who can act on a case."""

    name: str
    description: str = ""
    """One sentence: what the department does."""
    phrases: tuple[str, ...] = ()
    """Words that point to it; see `triage.routing` for how they are matched."""
    examples: tuple[str, ...] = ()
    """Texts that belong to it."""


def _department(name: str, description: str, phrases: str) -> Department:
    listed = tuple(" ".join(phrase.split()) for phrase in phrases.split(","))
    return Department(name=name, description=description, phrases=listed)


DEPARTMENTS: tuple[Department, ...] = (
    _department(
        "billing",
        "Invoices, payments, prices and wrong charges.",
        """
        bill, invoice, charged, overcharged, double charged, charged twice, charging me, debit
        order, direct debit, deducted, payment, hidden fee, fee, extra charge, price increase,
        statement of account, tariff, voucher, credit card was charged, airtime disappeared,
        out of bundle
        """,
    ),
    _department(
        "delivery",
        "Parcels, luggage and visits that come late, to the wrong place or not at all.",
        """
        delivery, parcel, package, courier, shipment, shipping, tracking number, dispatch, not
        arrived, never arrived, hasn't arrived, still waiting for my order, wrong address,
        lost luggage, luggage, baggage, lost bag, my bag, our bags, suitcase, missing item,
        left outside, out for delivery, baggage claim
        """,
    ),
    _department(
        "outages and faults",
        "Networks, sites, apps, trips and appliances that do not work as they should.",
        """
        outage, no signal, no network, network down, is down, are down, not working, doesn't
        work, won't load, won't connect, no internet, no fibre, no connection,
        no service, been dead, went dead, no power, no water, no electricity, load
        shedding, slow internet, buffering, crash, keeps crashing, error message, error code,
        glitch, website down, app down, site down, system down, offline, disconnected, keeps
        dropping, power cut, delayed, delay, flight delayed, late flight, stuck on the runway,
        stuck on the tarmac, mechanical issue, mechanical problem
        """,
    ),
    _department(
        "product quality",
        "Goods that are broken, spoiled, wrong or not as described.",
        """
        broken, faulty, defective, defect, damaged, poor quality, bad quality, cheap quality,
        fell apart, stopped working, wrong size, wrong item, wrong product, expired, stale,
        mouldy, moldy, rotten, spoiled, tastes, not as described, cracked, torn, ripped,
        leaking, shrunk, malfunction, uncomfortable, dirty
        """,
    ),
    _department(
        "staff and service",
        "How people were treated, and help that could not be reached.",
        """
        rude, rudeness, unprofessional, unhelpful, attitude, ignored, disrespectful, shouted,
        hung up, on hold, hold time, put on hold, wait time, long wait, queue, long line, no
        one answers, nobody answers, not answering, no reply, no response, won't respond, not
        responding, customer service, customer care, customer support, call centre, call
        center, agent, staff, employee, manager, representative, rep, consultant, cashier,
        driver was, attendant, stewardess, gate agent, call back, poor service, bad service,
        terrible service, horrible service, worst service, awful service
        """,
    ),
    _department(
        "cancellations and refunds",
        "Ending a contract, giving something back, getting the money back.",
        """
        refund, money back, reimburse, reimbursement, compensation, cancel, cancellation,
        return policy, unsubscribe, end my contract, terminate my contract, exchange policy,
        chargeback, cancelled flight, rebook
        """,
    ),
    _department(
        "account and security",
        "Signing in, bookings and data of an account, and what happens to it unasked.",
        """
        log in, login, log on, logged out, locked out, password, my account, account blocked,
        account suspended, hacked, hacker, phishing, scam, fraud, fraudulent, identity theft,
        unauthorised, unauthorized, stolen card, verification code, one time pin, otp, two
        factor, sim swap, data breach, reset my, sign in, can't book, booking online,
        reservation, confirmation number, loyalty points, frequent flyer
        """,
    ),
    _department(
        "legal and regulator",
        "Threats of law, regulators and ombudsmen, and claims for damage.",
        """
        lawyer, attorney, solicitor, lawsuit, sue, suing, legal action, small claims, take you
        to court, see you in court, ombudsman, ombud, regulator, consumer protection, trading
        standards, consumer commission, advertising standards, breach of contract, class
        action, data protection, false advertising, misleading advertising
        """,
    ),
)
"""Eight departments, a beginning that operators replace by their own."""
