"""Fitting a profile to published figures."""
