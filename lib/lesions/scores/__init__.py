"""From saved predictions to numbers: metrics, intervals, decisions, calibration, subgroups."""
