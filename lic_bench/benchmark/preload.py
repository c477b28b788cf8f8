"""Imports what learned codecs need; the server from which measuring processes are forked does so once for all."""

from __future__ import annotations

import compressai.models
import scipy.stats

__all__ = ["NORMAL", "models"]

models = compressai.models
NORMAL = scipy.stats.norm
"""Read here so that scipy.stats is executed: the tables of an entropy coder need it."""
