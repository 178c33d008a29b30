"""What was refused as a whole self-assessment is nobody's own words any more where the school's teachers have a draft."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    step = sa.table(
        "step", sa.column("id"), sa.column("application"), sa.column("kind"), sa.column("draft", sa.JSON())
    )
    shared = sa.select(sa.table("draft", sa.column("application")).c.application)
    rows = connection.execute(
        sa.select(step.c.id, step.c.draft).where(
            step.c.kind == "self-assessment", step.c.draft.is_not(None), step.c.application.in_(shared)
        )
    ).all()
    for row in rows:
        # A whole self-assessment says which draft it goes on from; words that were not taken are fields alone.
        if row.draft and "draft" in row.draft:
            connection.execute(sa.update(step).where(step.c.id == row.id).values(draft=sa.null()))
