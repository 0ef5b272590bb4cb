"""Everything between protobuf and the domain of programs, in one place to import from.

Requests become commands (`mapping_requests`), programs become messages and come back (`mapping_state`, with the content
in `mapping_content` and single values in `mapping_values`), revisions become records and events (`mapping_records`).
"""

from program_svc.adapters.mapping_content import filling_once, read_content, write_content
from program_svc.adapters.mapping_records import event, gate_violations, published, record
from program_svc.adapters.mapping_requests import (
    approve_program,
    create_program,
    import_program,
    release_program,
    retire_program,
    submit_program,
    update_program,
)
from program_svc.adapters.mapping_state import etag, from_message, to_message

__all__ = [
    "approve_program",
    "create_program",
    "etag",
    "event",
    "filling_once",
    "from_message",
    "gate_violations",
    "import_program",
    "published",
    "read_content",
    "record",
    "release_program",
    "retire_program",
    "submit_program",
    "to_message",
    "update_program",
    "write_content",
]
