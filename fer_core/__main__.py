"""`python -m fer_core`: the command line."""

import sys

from fer_core.cli.main import main

sys.exit(main())
