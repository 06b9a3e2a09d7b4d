"""Rules of both returns: each is a check that finds wrong rows and a breaker that makes some."""
