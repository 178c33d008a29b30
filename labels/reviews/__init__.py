"""Reviews: who judges, what they say, what follows."""
