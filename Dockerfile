# One image for the service and for the tasks of flows: `docker build --build-arg VARIANT=cpu --tag rushes:cpu .`
# VARIANT=gpu is the same with CUDA. What each line is for, and what of it was tried: docs/operations.md, "Images and compose".
# The base is pinned by version; pin it by digest as well where you build: `BASE=python:3.11.14-slim-bookworm@sha256:…`.
ARG BASE=python:3.11.14-slim-bookworm

# ---- the packages of the lock file, and nothing else
FROM ${BASE} AS packages
ARG VARIANT=cpu
ARG TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
ENV PIP_CONSTRAINT=config/requirements.lock
WORKDIR /srv/rushes
COPY config/requirements.lock config/
# The PyTorch of PyPI carries CUDA 13; CTranslate2 wants the cuBLAS of CUDA 12 beside it.
RUN python -m venv /opt/rushes \
 && case "$VARIANT" in \
      cpu) /opt/rushes/bin/pip install --no-deps --index-url "$TORCH_CPU_INDEX" torch ;; \
      gpu) /opt/rushes/bin/pip install torch nvidia-cublas-cu12==12.9.1.4 ;; \
      *) echo "VARIANT is cpu or gpu, not $VARIANT" >&2; exit 1 ;; \
    esac
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY steps/__init__.py steps/version.py steps/
# Without our own code, so that a change of it does not install the packages again.
RUN /opt/rushes/bin/pip install setuptools \
 && /opt/rushes/bin/pip install --no-build-isolation --editable ".[s3,traces]" \
 && /opt/rushes/bin/pip check

# ---- the models that the defaults need, checked by sha256
FROM packages AS models
COPY config config
COPY featurization featurization
RUN PYTHONPATH=. RUSHES_MODELS=/opt/models /opt/rushes/bin/python -c \
    "from featurization.models import load_registry as r; [r().fetch(name, print) for name in r().defaults()]"

# ---- the image
FROM ${BASE}
LABEL org.opencontainers.image.title="rushes" \
      org.opencontainers.image.description="Podcast feeds become 30-second previews, videos become shots that can be found" \
      org.opencontainers.image.licenses="Apache-2.0"
# LightGBM's wheel needs the system's OpenMP. User 10001 is in group 0, whose rights any other user id may have (OpenShift).
# hadolint ignore=DL3008  # Debian keeps no old versions to pin
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --gid 0 --create-home rushes \
 && install --directory --owner 10001 --group 0 --mode 0775 /data \
 && chmod 0775 /home/rushes
COPY --from=packages /opt/rushes /opt/rushes
COPY --from=models /opt/models /opt/models
WORKDIR /srv/rushes
COPY . .
RUN /opt/rushes/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable .
ENV PATH=/opt/rushes/bin:$PATH \
    LD_LIBRARY_PATH=/opt/rushes/lib/python3.11/site-packages/nvidia/cublas/lib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RUSHES_MODELS=/opt/models \
    RUSHES_STORE=/data \
    METAFLOW_USER=rushes \
    METAFLOW_SKIP_INSTALL_DEPENDENCIES=1
USER 10001:0
# A folder that may be written: Metaflow unpacks a task's code where it starts.
WORKDIR /home/rushes
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["rushes", "serve", "--host", "0.0.0.0", "--port", "8000"]
