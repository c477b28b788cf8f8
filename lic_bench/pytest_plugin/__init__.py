"""The pytest plug-in: the `lic_benchmark` fixture and its assertions."""

SAID, UPDATE = "lic_bench", "lic_bench_update"
