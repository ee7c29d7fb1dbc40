"""Releases: the whole registry at a revision, in a folder that says what it is and can be checked by anybody.

    csv/        one file for each noun and each kind of child row, without bookkeeping: comes back
    ndjson/     one file for each noun: comes back
    partnerships.parquet, partnerships.geojson
    registry.sqlite         the same tables, ready for SQL
    changes.ndjson          the journal, where it was asked for
    CHANGELOG.md, changelog.ndjson      what changed since another release, where one was named
    README.md, datapackage.json, SHA256SUMS

The same revision gives the same bytes, with the same versions of this program, SQLite and DuckDB (the descriptor names
them), on either engine. `writing` makes one, `verifying` checks one.
"""
