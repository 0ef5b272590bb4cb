"""The versions of a program between the domain and their messages, which is also how they are archived."""

from datetime import datetime
from typing import Final, Literal

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from training.program.v1 import program_pb2 as pb

from chassis.refusal import Violation
from program_svc.adapters.mapping_content import FillContent, fill_content, read_content
from program_svc.adapters.mapping_values import fill_time, read_time, refuse
from program_svc.domain.program import (
    Approval,
    Assignment,
    ChangeRequest,
    Rejection,
    ReleaseFailure,
    State,
    Version,
    Waiver,
)

_STATES: Final = {int(state): state for state in State}
WIRE_STATES: Final = {state: pb.Program.State.ValueType(int(state)) for state in State}


def version_message(version: Version) -> pb.ProgramVersion:
    """Write a version as a message of its own."""
    message = pb.ProgramVersion()
    fill_version(message, version)
    return message


def fill_version(message: pb.ProgramVersion, version: Version, fill: FillContent = fill_content) -> None:
    """Write a version into a new message where it stands."""
    message.number = version.number
    message.state = WIRE_STATES[version.state]
    fill(message.content, version.content)
    _fill_review(message, version)
    if version.release_time is not None:
        fill_time(message.release_time, version.release_time)
    fill_waivers(message.waivers, version.waivers)
    if version.release_failure is not None:
        fill_time(message.release_failure.fail_time, version.release_failure.fail_time)
        fill_violations(message.release_failure.violations, version.release_failure.violations)


def _fill_review(message: pb.ProgramVersion, version: Version) -> None:
    if version.submit_time is not None:
        fill_time(message.submit_time, version.submit_time)
    for approval in version.approvals:
        fill_time(message.approvals.add(reviewer=approval.reviewer).approve_time, approval.approve_time)
    for assignment in version.assignments:
        fill_time(message.assignments.add(reviewer=assignment.reviewer).assign_time, assignment.assign_time)
    if version.waiting_since is not None:
        fill_time(message.waiting_since, version.waiting_since)
    message.open_blocking_comments = version.open_blocking_comments
    message.comment_count = version.comment_count
    if version.rejection is not None:
        message.rejection.reviewer = version.rejection.reviewer
        message.rejection.reason = version.rejection.reason
        fill_time(message.rejection.reject_time, version.rejection.reject_time)
    if version.change_request is not None:
        message.change_request.reviewer = version.change_request.reviewer
        message.change_request.text = version.change_request.text
        fill_time(message.change_request.request_time, version.change_request.request_time)


def fill_waivers(messages: RepeatedCompositeFieldContainer[pb.Waiver], waivers: tuple[Waiver, ...]) -> None:
    """Write waivers into the list of a message."""
    for waiver in waivers:
        messages.add(rules=waiver.rules, reason=waiver.reason, principal=waiver.principal)


def fill_violations(
    messages: RepeatedCompositeFieldContainer[pb.GateViolation], violations: tuple[Violation, ...]
) -> None:
    """Write what the release gate found into the list of a message."""
    for found in violations:
        messages.add(field=found.field, rule=found.rule, found=found.found, needed=found.needed)


def read_version(message: pb.ProgramVersion) -> Version:
    """Read a version from its own message; raises InvalidField for one that no version can be."""
    faults: list[Violation] = []
    version = version_from(message, "version", faults)
    refuse(faults)
    return version


def version_from(message: pb.ProgramVersion, path: str, faults: list[Violation]) -> Version:
    """Read a version, noting what is wrong with it under the path."""
    state = _STATES.get(message.state)
    if state is None:
        faults.append(Violation(f"{path}.state", "enum.defined", str(message.state), "a state that is defined"))
        state = State.UNSPECIFIED
    return Version(
        number=message.number,
        state=state,
        content=read_content(message.content, f"{path}.content", faults),
        submit_time=_time(message, "submit_time", path, faults),
        approvals=_approvals(message, path, faults),
        release_time=_time(message, "release_time", path, faults),
        waivers=tuple([Waiver(tuple(given.rules), given.reason, given.principal) for given in message.waivers]),
        release_failure=_failure(message, path, faults),
        assignments=_assignments(message, path, faults),
        waiting_since=_time(message, "waiting_since", path, faults),
        open_blocking_comments=message.open_blocking_comments,
        comment_count=message.comment_count,
        rejection=_rejection(message, path, faults),
        change_request=_change_request(message, path, faults),
    )


def _time(
    message: pb.ProgramVersion,
    name: Literal["submit_time", "release_time", "waiting_since"],
    path: str,
    faults: list[Violation],
) -> datetime | None:
    return read_time(getattr(message, name), f"{path}.{name}", faults) if message.HasField(name) else None


def _approvals(message: pb.ProgramVersion, path: str, faults: list[Violation]) -> tuple[Approval, ...]:
    return tuple(
        [
            Approval(given.reviewer, read_time(given.approve_time, f"{path}.approvals[{at}].approve_time", faults))
            for at, given in enumerate(message.approvals)
        ]
    )


def _assignments(message: pb.ProgramVersion, path: str, faults: list[Violation]) -> tuple[Assignment, ...]:
    return tuple(
        [
            Assignment(given.reviewer, read_time(given.assign_time, f"{path}.assignments[{at}].assign_time", faults))
            for at, given in enumerate(message.assignments)
        ]
    )


def _failure(message: pb.ProgramVersion, path: str, faults: list[Violation]) -> ReleaseFailure | None:
    if not message.HasField("release_failure"):
        return None
    given = message.release_failure
    violations = [Violation(found.field, found.rule, found.found, found.needed) for found in given.violations]
    return ReleaseFailure(read_time(given.fail_time, f"{path}.release_failure.fail_time", faults), tuple(violations))


def _rejection(message: pb.ProgramVersion, path: str, faults: list[Violation]) -> Rejection | None:
    if not message.HasField("rejection"):
        return None
    given = message.rejection
    reject_time = read_time(given.reject_time, f"{path}.rejection.reject_time", faults)
    return Rejection(given.reviewer, given.reason, reject_time)


def _change_request(message: pb.ProgramVersion, path: str, faults: list[Violation]) -> ChangeRequest | None:
    if not message.HasField("change_request"):
        return None
    given = message.change_request
    request_time = read_time(given.request_time, f"{path}.change_request.request_time", faults)
    return ChangeRequest(given.reviewer, given.text, request_time)
