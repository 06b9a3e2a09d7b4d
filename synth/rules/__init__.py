"""Rules of both returns: each is a check that finds wrong rows and a breaker that makes some."""

from synth.rules.registry import NotHere, Rule, check_registry, rule, rules_for

__all__ = ["NotHere", "Rule", "check_registry", "rule", "rules_for"]
