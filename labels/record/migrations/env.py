"""Runs migrations on the engine that the caller hands over, under a lock where there is one."""

import sqlalchemy as sa
from alembic import context

from labels.record.schema import Base

engine: sa.Engine = context.config.attributes["engine"]

sqlite = engine.dialect.name == "sqlite"
with engine.connect().execution_options(immediate=True) as connection:
    if sqlite:
        # A table is changed by making it anew: meanwhile nothing that points at it may complain.
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if engine.dialect.name == "postgresql":
            # Two processes that start at once must not both create the tables.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(724001)"))
        context.run_migrations()
        if sqlite and (broken := connection.execute(sa.text("PRAGMA foreign_key_check")).all()):
            raise RuntimeError(f"This migration would leave rows that point nowhere: {broken[:5]}")
    connection.commit()
    if sqlite:
        connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
