"""Languages are looked up from exact to general, and found from general to exact."""

import pytest

from catalogue_svc.store.languages import candidates, ranges


@pytest.mark.parametrize(
    ("preferred", "looked_up"),
    [
        ([], []),
        (["pt-BR"], ["pt-br", "pt"]),
        (["zh-Hant-TW", "en"], ["zh-hant-tw", "zh-hant", "zh", "en"]),
        (["de-x-foo"], ["de-x-foo", "de"]),
        (["en", "EN", "en-GB"], ["en", "en-gb"]),
        (["pt-BR", "pt-PT"], ["pt-br", "pt", "pt-pt"]),
        (["", "-", "--"], []),
    ],
)
def test_each_preference_is_tried_exactly_and_then_ever_more_generally(
    preferred: list[str], looked_up: list[str]
) -> None:
    assert candidates(preferred) == looked_up


def test_a_language_is_found_by_itself_and_by_every_more_general_one() -> None:
    assert ranges(["en-GB", "sr-Latn-RS"]) == ["en-gb", "en", "sr-latn-rs", "sr-latn", "sr"]
