"""The pytest plug-in: the `lic_benchmark` fixture and its assertions."""

MESSAGES = "lic_bench"
"""The user property of a test's report under which it says what was compared, for the end of the session."""

UPDATES = "lic_bench_update"
"""The user property under which it says which run is to become which baseline."""
