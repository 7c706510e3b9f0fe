# syntax=docker/dockerfile:1
# Both programs, each in an image of its own:
#   docker build --target sceau-controller -t ghcr.io/sceau-dev/sceau-controller:0.1.0 .
#   docker build --target sceau -t ghcr.io/sceau-dev/sceau:0.1.0 .

FROM rust:1.95-bookworm AS build
# aws-lc is C: it takes a compiler, which the image has, and cmake.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /sceau
COPY . .
# The caches outlive a build, so the programs are copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/sceau/target \
    cargo build --release --locked -p sceau -p sceau-controller --bins \
    && install -D -t /programs target/release/sceau target/release/sceau-controller

# Distroless `cc` has the C library that both programs are linked to, certificates, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot AS sceau
COPY --from=build /programs/sceau /usr/local/bin/sceau
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/sceau"]

FROM gcr.io/distroless/cc-debian12:nonroot AS sceau-controller
COPY --from=build /programs/sceau-controller /usr/local/bin/sceau-controller
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/sceau-controller"]
