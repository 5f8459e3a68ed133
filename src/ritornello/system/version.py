"""The version of Ritornello. Every file that Ritornello writes names it."""

__version__ = "0.1.0"
