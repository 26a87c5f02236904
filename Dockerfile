# Track AI in a container: serve by default, `worker` or `migrate` as the argument.
# Tag and digest of the base go together; what they are and where from: docs/adr/0041.
FROM python:3.11.16-slim-trixie@sha256:da047cb8f9d1d98e5c070f5300ba9f7274e33b8fc0e5be5ed88740aed1b95ba9 AS python


FROM python AS build
# The date of files in the wheel; a release gives that of its commit.
ARG SOURCE_DATE_EPOCH=1580601600
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# What others made comes first: it changes least, and from wheels alone, so nothing is compiled.
COPY requirements/build.txt requirements/image.txt requirements/
RUN python -m venv --without-pip /opt/trackai \
    && pip --python /opt/trackai/bin/python install --require-hashes --only-binary :all: --no-compile -r requirements/image.txt \
    && pip install --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml ./
# Runbooks are pages of the dashboard: the package has them by a link.
COPY docs/runbooks docs/runbooks
COPY src src
# Bytecode that is never compared with its source: the same from every build, and never written again.
RUN pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /dist . \
    && pip --python /opt/trackai/bin/python install --no-deps --no-index --no-compile /dist/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/trackai/lib \
    && mkdir --mode 0750 /empty


FROM python
LABEL org.opencontainers.image.title="Track AI" \
      org.opencontainers.image.description="Server-side conversion tracking: ad click to payment webhook to Meta's Conversions API"
# Nothing is installed into a container that runs. The server in which a backup is restored for a
# try refuses a user without a name.
RUN python -m pip uninstall --yes setuptools wheel pip \
    && echo 'trackai:x:10001:10001::/var/lib/trackai:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'trackai:x:10001:' >> /etc/group
COPY --from=build /opt/trackai /opt/trackai
# Who vouches for a database at Amazon RDS: TRACKAI_DATABASE_URL may name it as sslrootcert.
COPY deploy/aws/rds-roots.pem /etc/ssl/rds-roots.pem
# The one place that is written to: page reports, while the database is away. Mount a volume there.
COPY --from=build --chown=10001:10001 /empty /var/lib/trackai
# A volume that is mounted here is given the owner and mode of this.
COPY --from=build --chown=10001:10001 /empty /var/lib/trackai/backups
# Amazon's Fargate gives an empty volume the owner and mode of these, and root's to any other.
VOLUME ["/tmp", "/var/lib/trackai"]
ENV PATH=/opt/trackai/bin:$PATH \
    HOME=/var/lib/trackai \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TRACKAI_ENVIRONMENT=production \
    TRACKAI_DATA_DIR=/var/lib/trackai \
    TRACKAI_HOST=0.0.0.0
WORKDIR /var/lib/trackai
# A number, so that a cluster can see that it is not root.
USER 10001:10001
EXPOSE 8400
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["trackai", "probe"]
ENTRYPOINT ["trackai"]
CMD ["serve"]
