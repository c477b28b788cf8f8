"""Result files of other tools, in and out.

`formats` reads and writes four formats, `aliases` says what their columns mean, `result_points` gives their rows in our
quantities, `importing` makes curves and runs of them, `exporting` makes them of runs, `output` puts files in place.
"""
