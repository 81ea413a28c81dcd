"""One reader for each kind of file; `reading.read_document` chooses between them."""
