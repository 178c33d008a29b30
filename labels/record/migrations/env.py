"""Runs migrations on the engine that the caller hands over, under a lock where there is one."""

import sqlalchemy as sa
from alembic import context

from labels.record.schema import Base

engine: sa.Engine = context.config.attributes["engine"]

with engine.connect().execution_options(immediate=True) as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=engine.dialect.name == "sqlite",
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if engine.dialect.name == "postgresql":
            # Two processes that start at once must not both create the tables.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(724001)"))
        context.run_migrations()
    connection.commit()
