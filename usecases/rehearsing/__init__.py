"""A year played on a copy: virtual people, a clock that is turned forward, and nothing that reaches anybody."""
