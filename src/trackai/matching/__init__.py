"""From a receipt to a conversion, its match and the deliveries it owes."""
