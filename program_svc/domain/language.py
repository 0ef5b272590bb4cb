"""Language tags as BCP-47 (RFC 5646, section 2.1) forms them, without the grandfathered ones."""

import re
from functools import lru_cache
from typing import Final

_TAG: Final = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"  # language, with its extensions
    r"(?:-[a-z]{4})?"  # script
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?",  # private use
    re.ASCII | re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def is_language_tag(code: str) -> bool:
    """Tell whether a code is a well-formed language tag; its case has no meaning."""
    # Without the ASCII test, ignoring case would let U+017F and U+212A pass for `s` and `k`.
    return code.isascii() and _TAG.fullmatch(code) is not None


def primary_language(code: str) -> str:
    """Return the language of a tag without script, region and the rest: `de` of `de-AT`."""
    return code.partition("-")[0].lower()
