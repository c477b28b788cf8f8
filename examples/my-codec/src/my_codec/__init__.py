"""A codec of one's own, measured by lic-bench."""
