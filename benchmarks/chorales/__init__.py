"""Bach's chorales on a grid of sixteenths."""
