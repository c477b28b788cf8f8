"""Rate-distortion curves, BD figures with intervals, and published evidence."""
