"""A database full of made-up clicks, sales and tries, as believable as numbers need."""
