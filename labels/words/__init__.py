"""Words: text, sentences, languages."""
