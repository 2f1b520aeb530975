"""What a word is, in every script: how text is cut for lexical search, and which language a text is written in."""
