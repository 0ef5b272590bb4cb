from dataclasses import replace

from training.program.v1.events_pb2 import ProgramEvent

from program_svc.adapters.encoding import published_size
from program_svc.adapters.mapping_events import published
from program_svc.domain.content_rules import texts_size
from program_svc.domain.gate_rules import MAXIMUM_BYTES
from program_svc.domain.program import State
from tests.unit.program.samples import COMPLETE, program


def test_what_the_gate_lets_through_fits_into_an_event_with_all_that_stands_beside_it() -> None:
    tiny = replace(COMPLETE, tags=("a",) * 100_000)
    assert published_size(tiny) > texts_size(tiny) + 100_000
    whole = published(program(State.RELEASED, tiny))
    beside = ProgramEvent(actor="p" * 200, program=whole).ByteSize() - published_size(tiny)
    assert MAXIMUM_BYTES + beside < 512 * 1024
