"""From an index generation to answers: the Retriever, the Answerer and the HTTP service."""
