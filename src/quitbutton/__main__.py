"""`python -m quitbutton`."""

import sys

from quitbutton.cli.main import main

sys.exit(main())
