"""Exit with 0 if Airflow or the desk says that one of its parts is healthy: healthy.py URL PART."""

from __future__ import annotations

import json
import sys
from urllib.request import urlopen


def is_healthy(url: str, part: str) -> bool:
    """Whether the health report at ``url`` calls ``part`` healthy; False if it cannot be had."""
    try:
        with urlopen(url, timeout=8) as answer:
            report = json.load(answer)
    except (OSError, ValueError):
        return False
    return bool(report.get(part, {}).get("status") == "healthy")


if __name__ == "__main__":
    sys.exit(0 if is_healthy(sys.argv[1], sys.argv[2]) else 1)
