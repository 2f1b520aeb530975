"""How the searches of a set went in a time: figures, days, queries, and the page that shows them."""
