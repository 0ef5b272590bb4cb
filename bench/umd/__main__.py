"""Run the import of the real data: `python -m bench.umd`."""

import sys

from bench.umd.run import main

if __name__ == "__main__":
    sys.exit(main())
