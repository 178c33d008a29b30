"""How runs are executed: a Prefect worker whose processes stay warm."""
