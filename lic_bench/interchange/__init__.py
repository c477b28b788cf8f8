"""Other people's result files, in and out: one file per format."""
