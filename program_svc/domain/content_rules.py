"""What any content must satisfy, drafts included; whether it is good enough for readers is the release gate's."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from chassis.refusal import InvalidField, Violation
from program_svc.domain.content import ProgramContent
from program_svc.domain.errors import ProgramRefersToItself
from program_svc.domain.language import is_language_tag

MAXIMUM_CREDITS: Final = Decimal(1_000_000)

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Searching bytes is ten times as fast as searching characters, and nearly every text is clean.
_NOT_CONTROL: Final = bytes(b for b in range(256) if b in b"\t\n\r" or (b >= 0x20 and b != 0x7F))  # noqa: PLR2004 - space and DEL
# The characters of RFC 3986, section 2; what readers follow is neither a script nor a path of this machine.
_URI: Final = re.compile(
    r"https?://[\w.~%!$&'()*+,;=:@\[\]-]+(?:[/?#][\w.~%!$&'()*+,;=:@\[\]/?#-]*)?", re.ASCII | re.IGNORECASE
)
_LEAD_OF_C1: Final = b"\xc2"


def check_content(program_id: UUID, content: ProgramContent, co_authors: tuple[str, ...] = ()) -> None:
    """Refuse content that no version may have, with every violation."""
    faults = [*_languages(content), *_amounts(content), *_links(content)]
    if _has_control_characters("\n".join([*_texts(content), *co_authors])):
        faults.extend(_control_characters([*_paths_and_texts(content), *_each("co_authors", co_authors)]))
    if faults:
        raise InvalidField("The content breaks rules of its fields.", violations=tuple(faults))
    if content.prerequisites is not None and program_id in content.prerequisites.program_ids:
        raise ProgramRefersToItself(program_id)


def texts_size(content: ProgramContent) -> int:
    """Return how many bytes the texts take in UTF-8."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(content))


def check_texts(*texts: tuple[str, str]) -> None:
    """Refuse texts beside the content, each given with its path, that nobody could read."""
    faults = tuple(_control_characters(texts))
    if faults:
        raise InvalidField("The request breaks rules of its fields.", violations=faults)


def _has_control_characters(text: str) -> bool:
    encoded = text.encode("utf-8", "surrogatepass")
    if encoded.translate(None, _NOT_CONTROL):
        return True
    return _LEAD_OF_C1 in encoded and _CONTROL.search(text) is not None


def _control_characters(texts: Iterable[tuple[str, str]]) -> Iterator[Violation]:
    for path, text in texts:
        found = _CONTROL.search(text)
        if found is not None:
            seen = f"U+{ord(found[0]):04X} at {found.start()}"
            yield Violation(path, "text.control_characters", seen, "no control characters but line feed and tab")


def _texts(content: ProgramContent) -> list[str]:
    """List every text, without its path: nearly all content is clean, and paths cost more than texts."""
    texts = [
        content.title,
        content.summary,
        content.description,
        content.plan,
        content.audience,
        content.cover_image_uri,
        *content.learning_outcomes,
        *content.categories,
        *content.tags,
    ]
    for module in content.agenda:
        texts.append(module.title)
        texts.extend(module.topics)
    if content.prerequisites is not None:
        texts.append(content.prerequisites.text)
    for localized in content.localizations:
        texts += (localized.title, localized.summary, localized.description, localized.plan, localized.audience)
        texts.extend(localized.learning_outcomes)
    return texts


def _paths_and_texts(content: ProgramContent) -> Iterator[tuple[str, str]]:
    yield "content.title", content.title
    yield "content.summary", content.summary
    yield "content.description", content.description
    yield "content.plan", content.plan
    yield "content.audience", content.audience
    yield "content.cover_image_uri", content.cover_image_uri
    for at, module in enumerate(content.agenda):
        yield f"content.agenda[{at}].title", module.title
        yield from _each(f"content.agenda[{at}].topics", module.topics)
    yield from _each("content.learning_outcomes", content.learning_outcomes)
    yield from _each("content.categories", content.categories)
    yield from _each("content.tags", content.tags)
    if content.prerequisites is not None:
        yield "content.prerequisites.text", content.prerequisites.text
    for at, localized in enumerate(content.localizations):
        path = f"content.localizations[{at}]"
        yield f"{path}.title", localized.title
        yield f"{path}.summary", localized.summary
        yield f"{path}.description", localized.description
        yield f"{path}.plan", localized.plan
        yield f"{path}.audience", localized.audience
        yield from _each(f"{path}.learning_outcomes", localized.learning_outcomes)


def _each(path: str, texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for at, text in enumerate(texts):
        yield f"{path}[{at}]", text


def _languages(content: ProgramContent) -> Iterator[Violation]:
    base = content.language_code
    if base and not is_language_tag(base):
        yield Violation("content.language_code", "language_code.bcp47", base, "a BCP-47 language tag")
    seen = {base.lower()} if base else set[str]()
    for at, localized in enumerate(content.localizations):
        path, code = f"content.localizations[{at}].language_code", localized.language_code
        if not is_language_tag(code):
            yield Violation(path, "language_code.bcp47", code, "a BCP-47 language tag")
        elif code.lower() in seen:
            yield Violation(path, "language_code.unique", code, "each language once, the base language included")
        seen.add(code.lower())


def _amounts(content: ProgramContent) -> Iterator[Violation]:
    for at, module in enumerate(content.agenda):
        if module.duration is not None and module.duration.days < 0:
            path = f"content.agenda[{at}].duration"
            yield Violation(path, "duration.negative", str(module.duration), "zero or more")
    total = content.total_duration
    if total is not None and total.days < 0:
        yield Violation("content.total_duration", "duration.negative", str(total), "zero or more")
    awarded = content.credits
    if awarded is not None and not (awarded.is_finite() and 0 <= awarded < MAXIMUM_CREDITS):
        needed = f"zero or more, less than {MAXIMUM_CREDITS}"
        yield Violation("content.credits", "credits.range", str(awarded), needed)


def _links(content: ProgramContent) -> Iterator[Violation]:
    uri = content.cover_image_uri
    if uri and not _is_link(uri):
        needed = "an absolute http or https URI, or nothing"
        yield Violation("content.cover_image_uri", "cover_image_uri.form", uri[:100], needed)


def _is_link(uri: str) -> bool:
    if _URI.fullmatch(uri) is None:
        return False
    try:
        parts = urlsplit(uri)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that hold no address, a port that is none
        return False
