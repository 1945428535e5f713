# One image for every service: the command says which one it is.

FROM python:3.13-slim AS dependencies
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.lock

FROM python:3.13-slim
# For Chinese in the documents that are sent.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-wqy-microhei \
    && rm -rf /var/lib/apt/lists/*
# The broker's image runs as 1883; the folder it shares with `tellergrid init` is handed over empty,
# and a new volume takes its owner from here.
RUN useradd --system --uid 10001 --no-create-home tellergrid \
    && install -d -o 1883 -g 1883 /broker \
    && install -d -o 10001 -g 10001 /state /audit
COPY --from=dependencies /opt/venv /opt/venv
COPY fleet /srv/fleet
COPY collector /srv/collector
COPY api /srv/api
COPY simulator /srv/simulator
COPY tellergrid /srv/tellergrid
# Once, and not at each start of each container.
RUN python -m compileall -q /srv
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/srv PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
USER 10001
CMD ["python", "-m", "tellergrid", "--help"]
