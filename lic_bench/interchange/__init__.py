"""Other people's result files, in and out: one file per format.

A file is read into a `Sheet` (its columns under its own names, nothing lost) and written back from one. What the
columns mean is the business of `words` and `entries`; `importing` and `exporting` join them to curves and runs.
"""
