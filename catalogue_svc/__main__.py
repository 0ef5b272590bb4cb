"""`python -m catalogue_svc`."""

import sys
from functools import partial

from catalogue_svc.bootstrap import run
from catalogue_svc.settings import CatalogueSettings
from chassis.process import run as run_process
from chassis.settings import load

if __name__ == "__main__":
    sys.exit(run_process(partial(run, load(CatalogueSettings))))
