"""How much each reviewer has to do is counted from an index alone."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_step_person_state", table_name="step")
    columns = ["person", "state", "kind", "organisation", "due_at"]
    op.create_index("ix_step_person_state_kind_organisation_due_at", "step", columns)
