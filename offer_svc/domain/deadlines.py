"""What time brings about: the decision deadline, the end, and what a retirement or an earlier revision left to do.

The commands come from the timekeeper, as often as it likes: where there is nothing to do, they change nothing.
"""

from datetime import datetime
from typing import Final, assert_never

from offer_svc.domain.changes import Change, MinimumDecided, OfferCalledOff, OfferEnded
from offer_svc.domain.commands import CancelForRetirement, Command, CompleteOffer, DecideAtDeadline, PromoteWaiting
from offer_svc.domain.context import Context, ProgramState
from offer_svc.domain.guards import known
from offer_svc.domain.offer import Cancellation, Offer, State

DeadlineCommand = DecideAtDeadline | CompleteOffer | CancelForRetirement

BELOW_MINIMUM: Final = "The minimum was not reached by the decision deadline."
PROGRAM_RETIRED: Final = "The program was retired, and its offers with it."


def decide_deadline(state: Offer | None, command: DeadlineCommand, context: Context) -> tuple[Change, ...]:
    """Decide on what has become due."""
    offer = known(state, command.offer_id)
    if offer.state is not State.PUBLISHED:
        return ()
    match command:
        case DecideAtDeadline():
            return _compare(offer, context) if _is_undecided(offer, context.now) else ()
        case CompleteOffer():
            return (OfferEnded(),) if _is_past(_end(offer), context.now) else ()
        case CancelForRetirement():
            is_over = _is_retired_with_offers(offer, context)
            return (OfferCalledOff(Cancellation(PROGRAM_RETIRED, context.now)),) if is_over else ()
        case _:
            assert_never(command)


def next_due(state: Offer) -> datetime | None:
    """Return when something of the offer is to be done next, besides the ends of holds: a time past means at once."""
    if state.state is not State.PUBLISHED:
        return None
    pending = state.update_time if state.seats.promotion_pending else None
    times = [time for time in (pending, _deadline(state), _end(state)) if time is not None]
    return min(times, default=None)


def due_commands(state: Offer, now: datetime) -> tuple[Command, ...]:
    """Return the commands for what is due, in the order in which they are to be executed."""
    if state.state is not State.PUBLISHED:
        return ()
    due: list[Command] = []
    if state.seats.promotion_pending:
        due.append(PromoteWaiting(state.offer_id))
    if _is_undecided(state, now):
        due.append(DecideAtDeadline(state.offer_id))
    if _is_past(_end(state), now):
        due.append(CompleteOffer(state.offer_id))
    return tuple(due)


def _compare(offer: Offer, context: Context) -> tuple[Change, ...]:
    """Compare what is confirmed with the minimum: holds may still run out. What has begun is flagged, not cancelled."""
    decided = MinimumDecided(offer.is_below_minimum)
    start = None if offer.schedule is None else offer.schedule.start_time
    if decided.at_risk and offer.definition.cancel_below_minimum and not _is_past(start, context.now):
        return decided, OfferCalledOff(Cancellation(BELOW_MINIMUM, context.now))
    return (decided,)


def _is_retired_with_offers(offer: Offer, context: Context) -> bool:
    program = context.program
    return (
        program is not None
        and program.program_id == offer.definition.program_id
        and program.state is ProgramState.RETIRED
        and program.cancel_offers
    )


def _is_undecided(offer: Offer, now: datetime) -> bool:
    """Tell whether the deadline is to be decided now: it makes no difference to an offer that is over."""
    return _is_past(_deadline(offer), now) and not _is_past(_end(offer), now)


def _deadline(offer: Offer) -> datetime | None:
    """Return the decision deadline, unless it is decided."""
    return offer.definition.decision_deadline if offer.decide_time is None else None


def _end(offer: Offer) -> datetime | None:
    return None if offer.schedule is None else offer.schedule.end_time


def _is_past(time: datetime | None, now: datetime) -> bool:
    return time is not None and time <= now
