# The course in a container. Binder and dev containers build this same file; docs/start.md says how
# to use it, how large it becomes, and what of it could be tried.
#
#   docker build -t lesions .
#   docker run --rm -p 127.0.0.1:8888:8888 lesions

# The Python that the notebooks' stored outputs were made with.
FROM python:3.11-slim-bookworm

# opencv-python is linked against libGL and GLib, which a slim image lacks. Debian keeps only the
# newest build of a package, so a version named here would soon be gone.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 make \
    && rm -rf /var/lib/apt/lists/*

# Binder gives these two.
ARG NB_USER=learner
ARG NB_UID=1000
ENV USER=${NB_USER} \
    HOME=/home/${NB_USER}
RUN useradd --create-home --uid "${NB_UID}" --shell /bin/bash "${NB_USER}" \
    && install --directory --owner="${NB_UID}" /opt/lesions /srv/lesions

# PYTHON: the Makefile makes no .venv. COURSE_LISTEN: from the host, a container's own 127.0.0.1 is
# out of reach, so JupyterLab listens on all of its addresses; `docker run` publishes on loopback.
ENV VIRTUAL_ENV=/opt/lesions \
    PATH=/opt/lesions/bin:${PATH} \
    PYTHON=python \
    COURSE_LISTEN=0.0.0.0

USER ${NB_USER}
WORKDIR /srv/lesions

# First what seldom changes. The lock names every package, so pip need not look for more.
COPY requirements.lock ./
RUN python -m venv /opt/lesions \
    && python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

COPY --chown=${NB_UID} . .
# The two folders are there for volumes, which take their owner from what they cover.
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && mkdir -p build data/cache \
    && python -m course student

EXPOSE 8888
# No ENTRYPOINT: Binder starts a server of its own.
CMD ["make", "lab"]
