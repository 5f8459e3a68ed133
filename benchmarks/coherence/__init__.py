"""Whether composed songs hold together, next to held-out human songs."""
