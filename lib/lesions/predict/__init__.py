"""From a trained network to one file that answers, and says when it should not be asked."""
