"""Lists by page."""

from typing import Final

from training.catalogue.v1.catalogue_service_pb2 import ListOffersRequest, ListProgramsRequest

from catalogue_svc.query import cursor
from catalogue_svc.query.cursor import Cursor, MalformedCursor
from catalogue_svc.query.errors import PageTokenMalformed
from catalogue_svc.query.listing import Listing, Question
from catalogue_svc.query.reading import Reading
from chassis.wire import field

DEFAULT_SIZE: Final = 50
LARGEST_SIZE: Final = 500
MOST_BYTES: Final = 3 * 1024**2
"""A page ends early at this size: clients refuse messages above 4 MiB unless told otherwise."""

_NEXT_PAGE_TOKEN: Final = 4
_FREE: Final = ("page_size", "page_token", "consistency")


async def page(
    reading: Reading, listing: Listing, question: Question, request: ListProgramsRequest | ListOffersRequest
) -> bytes:
    """Return the response with the page that a request asks for. Raises PageTokenMalformed."""
    arguments = cursor.digest(request, *_FREE)
    after = None
    if request.page_token:
        try:
            after = cursor.decode(request.page_token, arguments).after
        except MalformedCursor as error:
            raise PageTokenMalformed.because(str(error)) from error
    size = min(request.page_size or DEFAULT_SIZE, LARGEST_SIZE)
    chunk = await reading.chunk(listing, question, after, size + 1)
    given, total = 0, 0
    for entry in chunk.entries[:size]:
        total += len(entry.field)
        if given and total > MOST_BYTES:
            break
        given += 1
    more = given < len(chunk.entries)
    fields = [*(entry.field for entry in chunk.entries[:given]), chunk.suffix]
    if more:
        token = cursor.encode(Cursor(chunk.entries[given - 1].place), arguments)
        fields.append(field(_NEXT_PAGE_TOKEN, token.encode()))
    return b"".join(fields)
