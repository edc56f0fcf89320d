"""``python -m sysfsd``."""

from __future__ import annotations

import sys

from sysfsd.cli import main

sys.exit(main())
