"""Is a codec sound? Told finding by finding, each with what to do.

examination   the order in which a codec is examined; nothing a codec does stops it
witness       what fresh processes are asked about a codec
pictures      the pictures that are made for it
agreement     how two decodings of one stream compare
streams       judges what became of pictures and streams
network       looks at the network behind a learned codec, and judges it
checkpoint    looks at a checkpoint and at the weights that were loaded, and judges them
"""

from lic_bench.doctor.findings import Finding, Verdict, as_plain, conclusion, unsound

__all__ = ["Finding", "Verdict", "as_plain", "conclusion", "unsound"]
