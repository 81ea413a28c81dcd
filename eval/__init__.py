"""How good retrieval is: judged collections run through the production Retriever."""
