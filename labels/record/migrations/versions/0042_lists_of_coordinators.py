"""Indexes in which the lists of coordinators stand as they are shown, and what is urgent stands together."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    submitted = ["organisation", "submitted_at", "id"]
    op.create_index("ix_application_organisation_submitted_at_id", "application", submitted)
    op.drop_index("ix_application_organisation_stage", table_name="application")
    by_stage = ["organisation", "stage", "outcome"]
    op.create_index("ix_application_organisation_stage_outcome", "application", by_stage)
    op.drop_index("ix_step_due", table_name="step")
    # SQLite reads a row for each column that an index lacks, those that its own condition names too.
    for name, table, columns, where in (
        (
            "ix_application_not_closed",
            "application",
            ["organisation", "decide_by", "id", "stage", "outcome"],
            "stage <> 'closed'",
        ),
        ("ix_step_due", "step", ["due_at", "kind", "application", "instance", "state"], "state = 'open'"),
        (
            "ix_step_further_review",
            "step",
            ["state", "application", "instance", "kind", "seat"],
            "kind = 'review' AND seat > 2",
        ),
    ):
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
