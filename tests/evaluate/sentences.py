"""Sentence pairs with scores, as people gave them."""

STS = [
    ("A cat sits on the mat.", "A cat is sitting on a mat.", 4.8),
    ("A man plays the guitar.", "Somebody is playing a guitar.", 4.0),
    ("She cooks dinner.", "She is preparing a meal.", 3.9),
    ("The train is late.", "The bus was cancelled.", 1.8),
    ("He reads a book.", "The stock market fell.", 0.1),
    ("Dogs bark at night.", "A recipe for apple pie.", 0.0),
]
