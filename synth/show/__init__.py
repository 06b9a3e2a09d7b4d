"""Reading returns: one child's life as a timeline."""
