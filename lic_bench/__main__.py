"""`python -m lic_bench` is the same as `lic-bench`."""

from lic_bench.cli import main

if __name__ == "__main__":
    main()
