"""One reader for each kind of file; `corpus.reading` chooses between them."""

# Raised with every change of what a reader gives for the same bytes: a file that has not changed
# is read again only where this has.
READER_VERSION = "2"
