"""Indexes from which the statistics are counted, without reading what applications and decisions say."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_COUNTED = ["organisation", "school_year", "label", "outcome", "stage", "submitted_at", "id", "rules"]


def upgrade() -> None:
    op.create_index("ix_application_counted", "application", _COUNTED)
    op.create_index("ix_decision_counted", "decision", ["application", "instance", "outcome", "decided_at"])
    for name, table, columns, where in (
        ("ix_review_counted", "review", ["application", "given_at"], "void_at IS NULL"),
        ("ix_award_revoked", "award", ["id"], "revoked_at IS NOT NULL OR revoked_on IS NOT NULL"),
        ("ix_step_appeal", "step", ["application", "instance"], "kind = 'appeal' AND state = 'answered'"),
    ):
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
