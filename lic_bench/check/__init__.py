"""A run against a baseline: what got worse, better, or cannot be compared, quantity by quantity.

baseline   a run folder, a folder of runs or a baseline file, read through one function; and written
limits     how far a quantity may move, and a person's own limits in TOML
machines   which facts of two machine records must agree
pairs      the rows of both runs side by side
presence   what vanished, failed or is new; other pictures, other weights
work       multiply-accumulates by call, part and layer; parameters
quality    rate, container, scores, BD-rate, and streams and pictures bit by bit where the machine is the same
channels   whether colour channels were exchanged
speed      encode, decode and memory, where machines match and samples allow it
compare    all of them together
diagnosis  the changes of one codec told apart in a sentence
outcome    every comparison with its verdict
written    an outcome as Markdown, JSON, JUnit XML and rows of a table
"""
