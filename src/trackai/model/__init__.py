"""Vocabulary: the nouns every stage shares. No I/O, no rules of one stage."""
