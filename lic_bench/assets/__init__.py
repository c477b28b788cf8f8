"""Files proved by their hash: downloads, checkpoints, the lock file, data sets and pictures."""
