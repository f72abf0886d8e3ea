"""A folder of your own: any labels, in any of the layouts that data/README.md lists."""

from lesions.data.known import Source

SOURCE = Source("images of your own, in the folder that DATA_DIR names", own=True)
