"""The table of a read model's generations, in its home, and the statements on it."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from training.ops.v1.operations_service_pb2 import RebuildPhase

from bus.lease import lease_table
from chassis.sql import Statement

BUILDING: Final = "building"
CURRENT: Final = "current"
RETIRED: Final = "retired"
ABANDONED: Final = "abandoned"

HOME: Final = MetaData()
lease_table(HOME)
GENERATION: Final = Table(
    "generation",
    HOME,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("method", SmallInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("begun_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("completed_at", DateTime(timezone=True)),
    Column("phase", SmallInteger, nullable=False),
    Column("phase_begun_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("trouble", Text, nullable=False, server_default=""),
    Column("builder", Text, nullable=False, server_default=""),
)
for _state in (CURRENT, BUILDING):
    Index(f"generation_{_state}", GENERATION.c.state, unique=True, postgresql_where=GENERATION.c.state == _state)


_NUMBER: Final = GENERATION.c.number == bindparam("of_number", type_=BigInteger())
_SHOWN: Final = select(GENERATION, (func.clock_timestamp() - GENERATION.c.phase_begun_at).label("phase_time"))
_LIVE: Final = or_(GENERATION.c.state == CURRENT, GENERATION.c.state == BUILDING)
READ: Final = Statement(_SHOWN.where(_LIVE))
FIND: Final = Statement(_SHOWN.where(_NUMBER))
LATEST: Final = Statement(select(func.coalesce(func.max(GENERATION.c.number), literal_column("0")).label("number")))
BEGIN: Final = Statement(
    insert(GENERATION).values(
        number=bindparam("number", type_=BigInteger()),
        state=BUILDING,
        method=bindparam("method", type_=SmallInteger()),
        cause=bindparam("cause", type_=Text()),
        phase=RebuildPhase.REBUILD_PHASE_PREPARING,
    )
)
FORGET: Final = Statement(
    delete(GENERATION).where(GENERATION.c.number < bindparam("oldest", type_=BigInteger()), ~_LIVE)
)
_PHASE: Final = bindparam("new_phase", type_=SmallInteger())
TELL: Final = Statement(
    update(GENERATION)
    .where(_NUMBER, GENERATION.c.state == BUILDING)
    .values(
        phase=_PHASE,
        phase_begun_at=func.coalesce(
            # The clock of a phase starts when it begins.
            select(GENERATION.c.phase_begun_at).where(_NUMBER, GENERATION.c.phase == _PHASE).scalar_subquery(),
            func.clock_timestamp(),
        ),
        done=bindparam("new_done", type_=BigInteger()),
        total=bindparam("new_total", type_=BigInteger()),
        trouble=bindparam("new_trouble", type_=Text()),
        builder=bindparam("new_builder", type_=Text()),
    )
)
ABANDON: Final = Statement(
    update(GENERATION)
    .where(_NUMBER, GENERATION.c.state == bindparam("of_state", type_=Text()))
    .values(
        state=ABANDONED,
        phase=RebuildPhase.REBUILD_PHASE_ABANDONED,
        trouble=bindparam("new_trouble", type_=Text()),
    )
)
