"""Papers: what they state, and whether one is genuine."""
