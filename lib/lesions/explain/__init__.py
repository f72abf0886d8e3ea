"""Where a network looks: parts of images covered, explanations, and what should make one doubt."""
