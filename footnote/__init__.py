"""The command line that ties corpus, indexer, service and eval together."""
