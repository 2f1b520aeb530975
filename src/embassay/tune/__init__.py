"""What a set is searched by, fitted to judged queries of its own, as far as that gains anything on queries held out."""
