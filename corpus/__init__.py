"""Reports and how they are read: Document, Block, Page, Passage, a reader for each file type."""
