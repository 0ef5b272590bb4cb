"""Programs as the tests need them, and Hypothesis strategies for their values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from program_svc.domain.changes import (
    Change,
    ProgramCreated,
    ProgramDeleted,
    ReleaseScheduled,
    ReviewQueued,
    VersionApproved,
    VersionRejected,
    VersionReleased,
    VersionRetired,
    VersionRevised,
    VersionSubmitted,
)
from program_svc.domain.commands import Command
from program_svc.domain.comment import Comment
from program_svc.domain.content import (
    AgendaModule,
    Level,
    LocalizedContent,
    Prerequisites,
    ProgramContent,
)
from program_svc.domain.context import DEFAULT_RULES, Context, Rules
from program_svc.domain.decide import decide
from program_svc.domain.evolve import apply
from program_svc.domain.program import Approval, Program, Retirement, State, Version, Waiver
from program_svc.domain.reviewer import Candidate

PROGRAM_ID: Final = UUID("01930000-0000-7000-8000-000000000001")
OTHER_ID: Final = UUID("01930000-0000-7000-8000-000000000002")
COMMENT_ID: Final = UUID("01930000-0000-7000-8000-0000000000c1")
NOW: Final = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)

# Twenty and more different words, so that none makes up a fifth of the text.
DESCRIPTION: Final = (
    "Container platforms run most services of today. Participants build images, describe workloads, watch them fail "
    "and bring them back, and learn why a scheduler decides as it does."
)
PLAN: Final = (
    "1. A short talk opens each morning and names the questions of the day.\n"
    "2. Pairs work at their own clusters, with a trainer for every six people.\n"
    "3. After lunch the groups exchange their clusters and repair what the others broke.\n"
    "4. The last hour belongs to review, open points and a written summary that everyone takes home."
)
COMPLETE: Final = ProgramContent(
    title="Running container platforms",
    summary="Three days on operating clusters.",
    description=DESCRIPTION,
    agenda=(
        AgendaModule("Images", ("Layers", "Registries"), timedelta(hours=6)),
        AgendaModule("Clusters", ("Scheduling",), timedelta(hours=12)),
    ),
    plan=PLAN,
    learning_outcomes=("Explain how a scheduler places work", "Build an image", "Diagnose a failed rollout"),
    audience="Administrators",
    prerequisites=Prerequisites("Linux at the command line", (OTHER_ID,)),
    categories=("cloud",),
    tags=("containers",),
    level=Level.INTERMEDIATE,
    language_code="en",
    localizations=(LocalizedContent("de", title="Container-Plattformen betreiben"),),
    total_duration=timedelta(hours=18),
    credits=Decimal("1.5"),
    cover_image_uri="https://images.example/cluster.png",
)


def context(
    principal: str = "alice",
    *,
    after: int = 0,
    rules: Rules = DEFAULT_RULES,
    candidates: tuple[Candidate, ...] = (),
    comments: tuple[Comment, ...] = (),
) -> Context:
    """Return the context of a principal's call, some seconds after NOW."""
    return Context(NOW + timedelta(seconds=after), principal, rules, candidates, comments)


def candidate(principal: str, *categories: str, load: int = 0, cap: int = 3, registered: int = 0) -> Candidate:
    """Return a registered reviewer with a load, registered some seconds after NOW."""
    return Candidate(principal, categories, load, cap, NOW + timedelta(seconds=registered))


def comment(*, blocking: bool = False, path: str = "plan", author: str = "bob", version: int = 1) -> Comment:
    """Return a comment on the program."""
    return Comment(COMMENT_ID, PROGRAM_ID, version, None, path, "Too short.", blocking, author, NOW)


_SUBMIT: Final[tuple[Change, ...]] = (VersionSubmitted(), ReviewQueued())
_WAYS: Final[dict[State, tuple[tuple[Change, ...], ...]]] = {
    State.DRAFT: (),
    State.IN_REVIEW: (_SUBMIT,),
    State.APPROVED: (_SUBMIT, (VersionApproved("bob", complete=True),)),
    State.SCHEDULED: (_SUBMIT, (VersionApproved("bob", complete=True),), (ReleaseScheduled(LATER),)),
    State.REJECTED: (_SUBMIT, (VersionRejected("bob", "off topic"),)),
}


def program(state: State, content: ProgramContent = COMPLETE) -> Program:
    """Return alice's program, co-written by carol, in a state; released and retired ones have no working version.

    In review it waits for reviewers; a scheduled release is due LATER.
    """
    made = apply(None, (ProgramCreated(PROGRAM_ID, "alice", ("carol",), content),), context())
    if state in _WAYS:
        return _brought(made, state)
    if state is State.DELETED:
        return apply(made, (ProgramDeleted(),), context())
    made = apply(_brought(made, State.APPROVED), (VersionReleased(),), context("paul"))
    if state is State.RELEASED:
        return made
    return apply(made, (VersionRetired(Retirement("outdated", None, NOW)),), context("paul"))


def revised(state: State, working: State) -> Program:
    """Return a released or retired program whose next version is being worked on."""
    made = _brought(apply(program(State.RELEASED), (VersionRevised(2),), context()), working)
    if state is State.RELEASED:
        return made
    return apply(made, (VersionRetired(Retirement("outdated", None, NOW)),), context("paul"))


def _brought(state: Program, working: State) -> Program:
    """Bring the working version from DRAFT to a state."""
    for changes in _WAYS[working]:
        state = apply(state, changes, context())
    return state


def in_work(state: Program | None) -> Version:
    """Return the working version of a program that has one."""
    assert state is not None
    assert state.working is not None
    return state.working


def live(state: Program | None) -> Version:
    """Return the live version of a program that has one."""
    assert state is not None
    assert state.live is not None
    return state.live


def carry_out(state: Program | None, command: Command, given: Context) -> Program | None:
    """Decide a command and apply its changes."""
    changes = decide(state, command, given)
    return apply(state, changes, given) if changes else state


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t"), max_size=20)
_text_tuples = st.lists(texts, max_size=3).map(tuple)
_durations = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=3650))
instants = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis takes bounds without a zone
ids = st.uuids()
_localizations = st.lists(
    st.builds(
        LocalizedContent,
        language_code=st.sampled_from(("de", "fr-CA", "pt-BR", "zh-Hant-TW")),
        title=texts,
        summary=texts,
        description=texts,
        plan=texts,
        learning_outcomes=_text_tuples,
        audience=texts,
    ),
    max_size=3,
    unique_by=lambda localized: localized.language_code,
).map(tuple)
contents = st.builds(
    ProgramContent,
    title=texts,
    summary=texts,
    description=texts,
    agenda=st.lists(st.builds(AgendaModule, texts, _text_tuples, st.none() | _durations), max_size=3).map(tuple),
    plan=texts,
    learning_outcomes=_text_tuples,
    audience=texts,
    prerequisites=st.none() | st.builds(Prerequisites, texts, st.lists(ids, max_size=3).map(tuple)),
    categories=_text_tuples,
    tags=_text_tuples,
    level=st.sampled_from(Level),
    language_code=st.sampled_from(("", "en", "en-GB")),
    localizations=_localizations,
    total_duration=st.none() | _durations,
    credits=st.none() | st.decimals(min_value=0, max_value=999_999, places=2),
    cover_image_uri=st.sampled_from(("", "https://images.example/cluster.png", "http://images.example/2?v=1")),
)
waivers = st.builds(Waiver, _text_tuples, texts, texts)
retirements = st.builds(Retirement, texts, st.none() | ids, instants, st.booleans())
_versions = st.builds(
    Version,
    number=st.integers(1, 2**31 - 1),
    state=st.sampled_from(State),
    content=contents,
    submit_time=st.none() | instants,
    approvals=st.lists(st.builds(Approval, texts, instants), max_size=2).map(tuple),
    release_time=st.none() | instants,
    waivers=st.lists(waivers, max_size=2).map(tuple),
)
programs = st.builds(
    Program,
    program_id=ids,
    revision=st.integers(1, 2**63 - 1),
    definition_revision=st.integers(1, 2**63 - 1),
    definition_time=instants,
    create_time=instants,
    update_time=instants,
    author=texts,
    co_authors=_text_tuples,
    working=st.none() | _versions,
    live=st.none() | _versions,
    retirement=st.none() | retirements,
)
