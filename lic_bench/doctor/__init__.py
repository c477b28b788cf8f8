"""The doctor: examines a codec check by check; each finding has a level and says what to do.

examination        the order of the checks; nothing a codec does stops it
context            runs probes of the codec under test in fresh processes
probes             what fresh processes are asked about a codec
weights_probe      what is asked about the loaded network and its weights
network_probes     what is asked about the forward pass, batches and operators
pictures           the test pictures
comparison         how two decodings of one bitstream compare
findings           checks, levels and findings
*_checks           judge what the probes report: values in, findings out
"""

from lic_bench.doctor.findings import Check, Finding, Level, passes

__all__ = ["Check", "Finding", "Level", "passes"]
