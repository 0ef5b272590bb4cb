from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from training.program.v1.program_service_pb2 import ListReviewersRequest

from chassis.listing import NAMES, NUMBERS, PAGE_BYTES, PLACES, Order, Place, ordered_page
from chassis.pages import PageTokenMalformed

NUMBERED = [(number, f"item {number}".encode()) for number in range(1, 8)]


async def after(number: int | None, most: int) -> Sequence[tuple[int, bytes]]:
    """List the items above a number."""
    return [each for each in NUMBERED if each[0] > (number or 0)][:most]


async def test_every_item_stands_on_one_page() -> None:
    request, seen, sizes = ListReviewersRequest(page_size=3), list[bytes](), list[int]()
    while True:
        page = await ordered_page(NUMBERS, request, request.page_size, request.page_token, after)
        seen += page.messages
        sizes.append(len(page.messages))
        if not page.next_token:
            break
        request.page_token = page.next_token
    assert (seen, sizes) == ([message for _, message in NUMBERED], [3, 3, 1])


async def test_a_page_that_ends_with_the_list_has_no_token() -> None:
    request = ListReviewersRequest(page_size=7)
    assert (await ordered_page(NUMBERS, request, 7, "", after)).next_token == ""


@pytest.mark.parametrize(
    ("sizes", "pages"),
    [
        ([PAGE_BYTES, 1, 1], [1, 2]),
        ([PAGE_BYTES + 1, PAGE_BYTES + 1, 1], [1, 1, 1]),
        ([1, PAGE_BYTES - 1, 1], [2, 1]),
        ([1, PAGE_BYTES, 1], [1, 1, 1]),
        ([PAGE_BYTES // 150] * 400, [150, 150, 100]),
        ([0] * 500, [500]),
        ([0] * 501, [500, 1]),
    ],
)
async def test_a_page_has_no_more_than_fits_into_a_message_and_the_next_one_goes_on(
    sizes: list[int], pages: list[int]
) -> None:
    listed = [(number, bytes(size)) for number, size in enumerate(sizes, 1)]

    async def after(number: int | None, most: int) -> Sequence[tuple[int, bytes]]:
        assert most <= 101
        return listed[(number or 0) :][:most]

    request, seen = ListReviewersRequest(), list[int]()
    while True:
        page = await ordered_page(NUMBERS, request, 500, request.page_token, after)
        seen.append(len(page.messages))
        if not page.next_token:
            break
        request.page_token = page.next_token
    assert seen == pages


@pytest.mark.parametrize(
    ("order", "key"),
    [
        (NUMBERS, 0),
        (NUMBERS, (1 << 63) - 1),
        (NAMES, "anna"),
        (NAMES, "Zoë 🦊"),
        (PLACES, Place(datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC), UUID(int=7))),
    ],
)
def test_a_key_is_read_as_it_was_written(order: Order[object], key: object) -> None:
    assert order.read(order.write(key)) == key


@pytest.mark.parametrize(
    ("order", "given"),
    [
        (NUMBERS, b""),
        (NUMBERS, b"\x00" * 7),
        (NUMBERS, b"\xff" * 8),
        (NAMES, b""),
        (NAMES, b"\xff\xfe"),
        (NAMES, b"a\x00b"),
        (PLACES, b"\x00" * 23),
        (PLACES, b"\xff" * 24),
    ],
)
def test_what_names_no_place_is_refused(order: Order[object], given: bytes) -> None:
    with pytest.raises(PageTokenMalformed):
        order.read(given)
