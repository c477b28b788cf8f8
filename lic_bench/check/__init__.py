"""A run against a baseline: what got worse, better, or cannot be compared, quantity by quantity.

baseline   a run folder, a folder of runs or a baseline file, read through one function; and written
limits     how far a quantity may move, and a person's own limits in TOML
work       multiply-accumulates by call, part and layer; parameters
quality    rate, container, distortion, BD-rate, and pictures bit by bit where the machine is the same
channels   whether colour channels were exchanged
timing     encode, decode and memory, where machines match and samples allow it
presence   what vanished, failed or is new
diagnosis  the changes of one codec told apart in a sentence
compare    all of them together
written    an outcome as Markdown, JSON, JUnit XML and rows of a table
"""
