"""Everything between protobuf and the domain of programs, in one place to import from.

Requests become commands (`mapping_requests`, `mapping_review_requests`); programs, versions, reviewers and comments
become messages and come back (`mapping_state`, `mapping_version` and `mapping_review`, with the content in
`mapping_content` and single values in `mapping_values`); revisions become events (`mapping_events`) and private records
of their changes, which the history tells (`mapping_records`, `mapping_changes`).
"""

from program_svc.adapters.mapping_content import filling_once, read_content, write_content
from program_svc.adapters.mapping_events import ADVANCED, event, published, published_body
from program_svc.adapters.mapping_records import differences, history_entry, record, reviewer_record
from program_svc.adapters.mapping_requests import (
    cancel_scheduled_release,
    create_program,
    delete_program,
    import_program,
    release_program,
    retire_program,
    revise_program,
    update_program,
)
from program_svc.adapters.mapping_review import (
    comment_message,
    from_reviewer_message,
    read_comment,
    to_reviewer_message,
)
from program_svc.adapters.mapping_review_requests import (
    add_review_comment,
    approve_program,
    assign_reviewer,
    register_reviewer,
    reject_program,
    remove_reviewer,
    request_changes,
    resolve_review_comment,
    submit_program,
    update_reviewer,
    withdraw_program,
)
from program_svc.adapters.mapping_state import etag, from_message, to_message
from program_svc.adapters.mapping_version import fill_violations, read_version, version_message

__all__ = [
    "ADVANCED",
    "add_review_comment",
    "approve_program",
    "assign_reviewer",
    "cancel_scheduled_release",
    "comment_message",
    "create_program",
    "delete_program",
    "differences",
    "etag",
    "event",
    "fill_violations",
    "filling_once",
    "from_message",
    "from_reviewer_message",
    "history_entry",
    "import_program",
    "published",
    "published_body",
    "read_comment",
    "read_content",
    "read_version",
    "record",
    "register_reviewer",
    "reject_program",
    "release_program",
    "remove_reviewer",
    "request_changes",
    "resolve_review_comment",
    "retire_program",
    "reviewer_record",
    "revise_program",
    "submit_program",
    "to_message",
    "to_reviewer_message",
    "update_program",
    "update_reviewer",
    "version_message",
    "withdraw_program",
    "write_content",
]
