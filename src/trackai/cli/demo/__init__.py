"""`trackai demo`: the whole way on one machine, told line by line and checked at the end."""
