"""From published figures to a profile: levels, the account, targets, behaviour."""
