# The node as a container. `docker build --target runtime .` builds it here; where a binary for Debian 12 is already at
# hand (target/release/pleiad), `--build-arg BINARY=prebuilt` takes that and compiles nothing.
ARG BINARY=build

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY schemas schemas
COPY config config
COPY docs/problems.md docs/problems.md
COPY src src
RUN cargo build --release --locked --bin pleiad && cp target/release/pleiad /pleiad

FROM docker.io/library/debian:bookworm-slim AS prebuilt
COPY target/release/pleiad /pleiad

# One of the two above.
# hadolint ignore=DL3006
FROM ${BINARY} AS binary

FROM docker.io/library/debian:bookworm-slim AS runtime
# The folder is the user's own: a new volume mounted there takes over its owner.
RUN groupadd --gid 10001 pleiad \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /var/lib/pleiad --shell /usr/sbin/nologin pleiad \
    && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/pleiad
COPY --from=binary /pleiad /usr/local/bin/pleiad
USER 10001:10001
WORKDIR /var/lib/pleiad
ENV PLEIAD_CONFIG=/var/lib/pleiad/node.toml
# For people, and for peers; probes ask from within.
EXPOSE 8080 8443
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["pleiad", "health"]
ENTRYPOINT ["pleiad"]
CMD ["serve"]
