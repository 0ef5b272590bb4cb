"""Who may call what on the program service; what is not listed is denied."""

from typing import Final

from bus.command_service import OPERATIONS
from chassis.policy import Policy
from chassis.principal import Role

_PROGRAMS: Final = "/training.program.v1.ProgramService/"
_ROLES: Final = {
    (Role.AUTHOR,): (
        "CreateProgram",
        "UpdateProgram",
        "SubmitProgram",
        "WithdrawProgram",
        "ReviseProgram",
        "DeleteProgram",
    ),
    (Role.REVIEWER,): ("RequestChanges", "ApproveProgram", "RejectProgram"),
    (Role.AUTHOR, Role.REVIEWER): ("AddReviewComment", "ResolveReviewComment"),
    (Role.REVIEWER, Role.PUBLISHER): ("AssignReviewer",),
    (Role.PUBLISHER,): ("ReleaseProgram", "CancelScheduledRelease", "RetireProgram", "ImportPrograms"),
    (Role.PUBLISHER, Role.OPERATOR): ("RegisterReviewer", "UpdateReviewer", "RemoveReviewer"),
    (Role.AUTHOR, Role.REVIEWER, Role.PUBLISHER, Role.OPERATOR, Role.SERVICE): (
        "GetProgram",
        "BatchGetPrograms",
        "ListPrograms",
        "ListProgramVersions",
        "CompareVersions",
        "ListProgramHistory",
        "ListReviewComments",
        "ListReviewers",
    ),
}

POLICY: Final = Policy(
    {
        **{f"{_PROGRAMS}{method}": roles for roles, methods in _ROLES.items() for method in methods},
        **OPERATIONS,
    }
)
