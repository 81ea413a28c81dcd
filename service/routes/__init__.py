"""The routes of the HTTP contract, one module for each kind of thing they are about."""
