"""The side effects, each idempotent: asked for twice, they are done once."""
