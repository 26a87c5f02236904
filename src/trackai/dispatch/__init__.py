"""From a delivery to an attempt, its outcome and what comes next."""
