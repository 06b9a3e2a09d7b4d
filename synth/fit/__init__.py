"""Fitting: published tables become the numbers of a profile."""
