"""Pop piano: networks of Ritornello and of other tools, trained for the same time."""
