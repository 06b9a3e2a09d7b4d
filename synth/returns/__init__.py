"""The returns, cut out of lives: what an authority would have sent in for one year."""
