# The service in a container, and for local stacks the emulators and a proxy beside it.
#
#   docker build -t beetroot-api .                       the service: no demo, no shell needed, not root
#   docker build -t beetroot-api --target service .      the same; the legacy builder then skips what only other targets need
#   docker build -t beetroot-demo --target emulators .   with the commands demo, emulators and seed
#   docker build -t beetroot-proxy --target proxy .      nginx in front of the replicas of docker-compose.yml
#
# Works with BuildKit and with the legacy builder.

FROM rust:1.95-bookworm AS dependencies
WORKDIR /build
# names of functions in backtraces are worth less than 30 MB on every host
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
COPY Cargo.toml Cargo.lock ./
# Tests and benchmarks stay outside, so the manifest must not name them. What is compiled here changes with the lock file only.
RUN sed -i '/^\[\[/,/^$/d' Cargo.toml \
 && mkdir src && touch src/lib.rs && echo 'fn main() {}' > src/main.rs \
 && cargo build --release --locked --no-default-features

FROM dependencies AS build
COPY config config
COPY src src
# newer than what was compiled from the empty files
RUN find src -name '*.rs' -exec touch {} + \
 && cargo build --release --locked --no-default-features

FROM debian:bookworm-slim AS runtime
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin beetroot
# config/<APP_ENV>.toml is looked for here
WORKDIR /app
COPY config/local.toml config/production.toml config/
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
USER 10001
ENTRYPOINT ["beetroot-api"]
LABEL org.opencontainers.image.title="beetroot-api" \
      org.opencontainers.image.description="Private S3 pictures, fast: lists from DynamoDB with presigned URLs that stay the same until they must change" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"

FROM runtime AS service
COPY --from=build /build/target/release/beetroot-api /usr/local/bin/
CMD ["serve"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["beetroot-api", "health"]

FROM dependencies AS build-emulators
RUN cargo build --release --locked
COPY config config
COPY src src
RUN find src -name '*.rs' -exec touch {} + \
 && cargo build --release --locked

FROM runtime AS emulators
COPY --from=build-emulators /build/target/release/beetroot-api /usr/local/bin/
EXPOSE 8000 9000
CMD ["emulators", "--host", "0.0.0.0"]
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=5 \
  CMD ["beetroot-api", "health", "http://127.0.0.1:9000/_counts"]

FROM debian:bookworm-slim AS proxy
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends nginx-light \
 && rm -rf /var/lib/apt/lists/*
COPY config/compose-proxy.conf /etc/nginx/nginx.conf
EXPOSE 8080
USER www-data
CMD ["nginx", "-g", "daemon off;"]

# what `docker build .` gives
FROM service
