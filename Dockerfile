# syntax=docker/dockerfile:1
# One image for every type of process: `notify web`, `notify worker --role ...`, `notify beat`, `notify db upgrade`.
# The servers of `notify up` (the extra `local`) are not in it.
#
#   docker build --build-arg GIT_COMMIT=$(git rev-parse HEAD) --build-arg BUILD_TIME=$(date -u +%Y-%m-%dT%H:%M:%SZ) -t notify .
#   docker build --build-arg REQUIREMENTS=requirements_for_extras.txt ...   # with SQS as the broker, traces and the archive

ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG REQUIREMENTS=requirements.txt
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/notify
WORKDIR /src
# first what changes seldom, so that a change of the code does not install it again
COPY ${REQUIREMENTS} requirements.txt
RUN /opt/notify/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY notify notify
# pip compiles what it installs; `compileall` would fail at a file of `olefile` that is for Python 2
RUN /opt/notify/bin/pip install --no-cache-dir --no-deps . \
    && /opt/notify/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
ARG GIT_COMMIT=""
ARG BUILD_TIME=""
LABEL org.opencontainers.image.title="notify" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${GIT_COMMIT}" \
      org.opencontainers.image.created="${BUILD_TIME}"
RUN groupadd --system --gid 10001 notify \
    && useradd --system --uid 10001 --gid notify --home-dir /var/lib/notify --shell /usr/sbin/nologin notify \
    && install --directory --owner=notify --group=notify --mode=0700 /var/lib/notify
COPY --from=build /opt/notify /opt/notify
COPY deploy/docker/health.py /opt/notify/health.py
ENV PATH="/opt/notify/bin:${PATH}" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NOTIFY_DATA_DIR=/var/lib/notify \
    WEB_HOST=0.0.0.0 \
    GIT_COMMIT="${GIT_COMMIT}" \
    BUILD_TIME="${BUILD_TIME}"
# by number: Kubernetes' runAsNonRoot does not know names
USER 10001:10001
WORKDIR /var/lib/notify
# what beat remembers; all else is in PostgreSQL and in the object store
VOLUME ["/var/lib/notify"]
EXPOSE 6011
STOPSIGNAL SIGTERM
# it looks at what process 1 is
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=5 CMD ["python", "/opt/notify/health.py"]
ENTRYPOINT ["notify"]
CMD ["web"]
