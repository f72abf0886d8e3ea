"""The thin library that the course's notebooks share. Each module does one thing; read them in any order."""
