"""`python3 checkpoints/lib`: starts the runner. Python then looks for modules in this folder, whose
names (process, table) are too plain for that: look in the folder above, where this one is `lib`."""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from lib.main import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
