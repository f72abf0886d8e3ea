"""One function a figure, by topic; the style, and a text for who cannot see it."""
