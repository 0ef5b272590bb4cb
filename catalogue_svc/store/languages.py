"""Language codes (BCP-47) as they are stored, asked for and matched: without regard to case (RFC 4647).

Looking up the one language to answer in goes from exact to general: `zh-Hant-TW`, then `zh-Hant`, then `zh`. Filtering
goes the other way: `en` finds what is in `en-GB`.
"""

from collections.abc import Iterable


def key(code: str) -> str:
    """Return the form in which codes are compared."""
    return code.lower()


def ranges(codes: Iterable[str]) -> list[str]:
    """Return the keys of all filters that find one of these languages."""
    return _all_truncations(codes)


def candidates(preferred: Iterable[str]) -> list[str]:
    """Return the keys to look up, best first; when none of them is available, the base language answers."""
    return _all_truncations(preferred)


def _all_truncations(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(truncated for code in codes for truncated in _truncations(code)))


def _truncations(code: str) -> list[str]:
    """Return a code's key and its ever shorter beginnings; none ends in a single letter, as `de-x` of `de-x-foo`."""
    parts = key(code).split("-")
    found = []
    while parts and parts[0]:
        found.append("-".join(parts))
        parts.pop()
        while len(parts) > 1 and len(parts[-1]) == 1:
            parts.pop()
    return found
