"""Google's accountant, for comparison.

Importing it makes a log handler that takes the standard error of the moment for its own, and closes it when Dagster
sets up its logs: the capture of whatever test runs then. It is given the process's own, which nobody closes.
"""

from __future__ import annotations

import sys

from absl import logging
from dp_accounting import dp_event as dp_event
from dp_accounting.rdp import RdpAccountant as RdpAccountant

logging.get_absl_handler().python_handler.stream = sys.__stderr__
