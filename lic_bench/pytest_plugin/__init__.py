"""The pytest plug-in: the `lic_benchmark` fixture and its assertions."""
