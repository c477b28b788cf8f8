"""A run against a baseline: what got worse, better, or cannot be compared, quantity by quantity.

baseline         a run folder, a folder of runs or a baseline file, read through one function; and written
limits           how far a quantity may move, and a person's own limits in TOML
machines         which facts of two machine records must agree
pairs            the rows of both runs side by side

quantity         what is compared: its kind, call and metric
details          what a finding carries beside its figures
outcome          changes, diagnoses and notes: the result of a check

presence         what vanished, failed or is new; other pictures, other weights
complexity       MACs by call, part and layer; serial steps, activation memory, parameters
rate_distortion  rate, container, scores, BD-rate
reproducibility  bitstreams and pictures bit by bit, and decoded in a fresh process
channels         whether colour channels were exchanged
times, samples   encode and decode, where machines match and samples allow it
memory           peak memory
diagnosis        which kind of change to a codec moves just these quantities
compare          all of them together

text, time_text  the words for changes
diagnosis_text   the words for diagnoses
outcome_text     the words for the whole: headline, notes, advice
table            rows of text, for the terminal and Markdown
markdown, junit, as_json
"""
