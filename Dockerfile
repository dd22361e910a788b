# syntax=docker/dockerfile:1

# The bundle is plain JavaScript, so one build serves every platform. No package needs to run a script for it.
FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts ./scripts
COPY src ./src
RUN node scripts/build.ts && mkdir data

# Only its one binary is used.
FROM node:24.21.0-bookworm-slim AS node

# glibc, libstdc++ and certificates; no shell and no package manager. Built anew, an image gets their latest security fixes.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="oneShotMetricsServer" \
      org.opencontainers.image.description="One-shot events for Prometheus: each event delivered exactly once to each scraper." \
      org.opencontainers.image.source="https://github.com/imuni4fun/oneShotMetricsServer" \
      org.opencontainers.image.documentation="https://github.com/imuni4fun/oneShotMetricsServer#readme" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

COPY --from=node /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=build /app/dist ./dist
COPY package.json README.md LICENSE ./
COPY image ./image
COPY --from=build --chown=65532:65532 /app/data /data

ENV NODE_ENV=production \
    ONESHOT_STORE_PATH=/data
USER 65532:65532
EXPOSE 8090
VOLUME ["/data"]
STOPSIGNAL SIGTERM
# While it starts, and where TLS is on, what counts is Kubernetes' own probes; see docs/operate/kubernetes.md.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/usr/local/bin/node", "/app/image/probe.ts", "health"]
# Node is process 1: dist/main.js handles SIGTERM and SIGINT itself, and starts no processes that it would have to reap.
# The flags are those of `npm start`; docs/decisions/0036-flags-for-node.md says what they are for.
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "--no-allocation-site-pretenuring", "--min-semi-space-size=4", "--max-semi-space-size=16", "/app/dist/main.js"]
