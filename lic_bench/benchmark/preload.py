"""Imports what learned codecs need; the server from which measuring processes are forked does so once for all."""

from __future__ import annotations

import compressai.models

__all__ = ["models"]

models = compressai.models
