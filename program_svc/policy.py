"""Who may call what on the program service; what is not listed is denied."""

from typing import Final

from bus.command_service import OPERATIONS
from chassis.policy import Policy
from chassis.principal import Role

_PROGRAMS: Final = "/training.program.v1.ProgramService/"
_READERS: Final = (Role.AUTHOR, Role.REVIEWER, Role.PUBLISHER, Role.OPERATOR, Role.SERVICE)

POLICY: Final = Policy(
    {
        f"{_PROGRAMS}CreateProgram": (Role.AUTHOR,),
        f"{_PROGRAMS}UpdateProgram": (Role.AUTHOR,),
        f"{_PROGRAMS}SubmitProgram": (Role.AUTHOR,),
        f"{_PROGRAMS}ApproveProgram": (Role.REVIEWER,),
        f"{_PROGRAMS}ReleaseProgram": (Role.PUBLISHER,),
        f"{_PROGRAMS}RetireProgram": (Role.PUBLISHER,),
        f"{_PROGRAMS}ImportPrograms": (Role.PUBLISHER,),
        f"{_PROGRAMS}GetProgram": _READERS,
        f"{_PROGRAMS}ListPrograms": _READERS,
        **OPERATIONS,
    }
)
