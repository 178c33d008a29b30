"""What people and upkeep do, whichever door they come through."""
