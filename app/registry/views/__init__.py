"""What can be read of the registry: lists and single records as plain, JSON-ready dictionaries.

One file a noun, each with its `FILTERS`, its `SORTS`, `listing` (a page of items) and `get` (one record, with
what hangs on it). Core rows become dictionaries with nothing in between: a list is one statement, and one more for
child rows, however long it is.
"""
