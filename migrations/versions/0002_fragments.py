"""Partnerships' items in lists, kept ready as JSON. `sistercities migrate` fills the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "fragments",
        sa.Column("partnership_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnerships.id"],
            name=op.f("fk_fragments_partnership_id_partnerships"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("partnership_id", name=op.f("pk_fragments")),
    )


def downgrade() -> None:
    op.drop_table("fragments")
