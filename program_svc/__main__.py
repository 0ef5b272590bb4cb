"""`python -m program_svc`."""

import sys
from functools import partial

from chassis.process import run as run_process
from chassis.settings import load
from program_svc.bootstrap import run
from program_svc.settings import ProgramSettings

if __name__ == "__main__":
    sys.exit(run_process(partial(run, load(ProgramSettings))))
