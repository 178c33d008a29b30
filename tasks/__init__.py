"""The side effects, each idempotent: whatever reaches outside the record, done once however often it is asked for."""
