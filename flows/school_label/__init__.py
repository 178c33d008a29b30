"""The flows of the School Label."""
