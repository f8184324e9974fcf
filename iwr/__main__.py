"""`python -m iwr` is the same as `iwr`."""

import sys

from iwr.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
