"""What makes the notebooks a course: exercises, editions, grading, the runner. No science."""
