"""Weights of the demonstration codec: small, trained, no paper's result."""
