"""From documents to an index generation: passages, vectors, postings, and atomic publishing."""
