"""The account: looked-after children by authority, sex, single age and year, as stocks and flows without leftover."""

from synth.fit.account.balance import Account, fit_account

__all__ = ["Account", "fit_account"]
