# The node as a container. `docker build --target runtime .` builds it here; where a binary is already at hand
# (target/release/pleiad), `--build-arg BINARY=prebuilt` takes that and skips the build.
ARG BINARY=build

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY schemas schemas
COPY config config
RUN cargo build --release --locked && cp target/release/pleiad /pleiad

FROM docker.io/library/debian:bookworm-slim AS prebuilt
COPY target/release/pleiad /pleiad

# hadolint ignore=DL3006
FROM ${BINARY} AS binary

FROM docker.io/library/debian:bookworm-slim AS runtime
RUN useradd --system --uid 10001 --home-dir /var/lib/pleiad --create-home pleiad
COPY --from=binary /pleiad /usr/local/bin/pleiad
USER pleiad
WORKDIR /var/lib/pleiad
# For people, for peers, for probes.
EXPOSE 8080 8443 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["pleiad", "health"]
ENTRYPOINT ["pleiad"]
CMD ["serve", "--config", "/var/lib/pleiad/node.toml"]
