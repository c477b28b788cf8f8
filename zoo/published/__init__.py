"""The evidence: published rate-distortion points, complexity claims and BD figures, each with its source."""
