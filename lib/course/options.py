"""The options of the commands. `make help` needs them before any environment is there."""

import os

# What a word NAME=value may set; the Makefile hands them over in the environment, as COURSE_NAME.
OPTIONS = {
    "PROFILE": "a file of notebooks/profiles: {profiles} (default sample)",
    "P": 'single parameters over it: P="EPOCHS=3 SEED=7"',
    "P_FILE": "a file of parameters of your own, over the profile and under P: P_FILE=my.yaml",
    "PROFILES": 'what to compare: PROFILES="over plain"',
    "EDITION": "student or instructor (default student)",
    "FROM": "executed notebooks for lab and site: FROM=build/quick/notebooks",
    "HANDIN": "the folder that a class handed in (default hand-in)",
    "IMAGES": "for predict: a photograph, or a folder of them",
    "MODEL": "for predict and card: a run's folder or a .keras file; default: PROFILE's best on dx",
    "TRIALS": "whole trials that search may spend (default: the profile's SEARCH_TRIALS)",
    "WORKERS": "processes that search and study start here (default 1)",
    "SCHEDULER": "address of a Dask cluster for search and study: SCHEDULER=tcp://host:8786",
    "SEEDS": "seeds of the study on a cluster: SEEDS=0,1,2 (default: the profile's SEED)",
    "JOBS": "notebooks at a time (default 2); 1 where memory is short",
    "LISTEN": "where lab listens (default 127.0.0.1: this machine only); 0.0.0.0 in a container",
}
QUOTING = """
A value may hold spaces, apostrophes, # and any letters; your shell wants quotes around it:
  make all HAM10000_DIR="/my pictures/HAM10000" PROFILE=quick
  make all P="DATASET=folder DATA_DIR=/my pictures/o'brien EPOCHS=3"
In P a value reaches to the next NAME=. Where the shell would read a $ itself, use single quotes
('…/a$b'), or write the parameters to a file: P_FILE=my.yaml holds lines such as DATA_DIR: /a$b.
Without make, as on Windows, the same words: python -m course all PROFILE=quick P="EPOCHS=3"
"""


def read_words(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options among some words, over those in the environment, and the other words."""
    given = {n: os.environ[f"COURSE_{n}"] for n in OPTIONS if f"COURSE_{n}" in os.environ}
    rest = []
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in OPTIONS:
            given[name] = value
        elif equals and name == "HAM10000_DIR":
            os.environ[name] = value
        else:
            rest.append(word)
    # Where nothing stands behind the sign, nothing is chosen.
    return {name: value for name, value in given.items() if value.strip()}, rest
