"""`python -m offer_svc`."""

import sys
from functools import partial

from chassis.process import run as run_process
from chassis.settings import load
from offer_svc.bootstrap import run
from offer_svc.settings import OfferSettings

if __name__ == "__main__":
    sys.exit(run_process(partial(run, load(OfferSettings))))
