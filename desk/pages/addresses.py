"""Addresses within the desk."""

from __future__ import annotations


def local(address: str) -> str:
    """The address, if it leads to a page of ours; else the first page."""
    first, second = address[:1], address[1:2]
    is_ours = first == "/" and second not in ("/", "\\") and address.isprintable()
    return address if is_ours and len(address) <= 2000 else "/"
