"""Entry points to codecs, data sets, metrics, executors and converters; adapters for user-supplied ones."""
