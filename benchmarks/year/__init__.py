"""A year of all three processes with virtual people, on a fixed seed and a clock of their own."""
