"""gwlint finds what will cause 502, 503 and 504 in nginx and HAProxy configurations."""

__version__ = "0.1.0"
