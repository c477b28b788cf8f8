"""Measures codecs: a request becomes a plan, jobs, and rows in a run folder."""
