"""How what is sent between systems is signed: HMAC-SHA256 over time and body.

X-Outcry-Timestamp: 1767350000
X-Outcry-Signature: sha256=<hex of HMAC(secret, timestamp + "." + body)>
"""

from __future__ import annotations

import hashlib
import hmac

TIMESTAMP = "x-outcry-timestamp"
SIGNATURE = "x-outcry-signature"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the header of that name."""
    words = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), words, hashlib.sha256).hexdigest()
