"""What reaches outside: Prefect, documents, mail, papers, languages."""
