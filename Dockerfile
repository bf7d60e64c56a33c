# The image of `tally`: one program, no shell, no package manager, an ordinary user.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# What was downloaded and compiled before stays in the two caches, so a change of our own code compiles only that.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package cli --bin tally \
    && install -D target/release/tally /out/tally

# bookworm's C library, as it was built against, and nothing else. nonroot is uid 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Tallystick" \
      org.opencontainers.image.description="Turns what Stripe says into what each user owns: prepaid credits, none lost, doubled or given to the wrong person." \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /out/tally /tally
USER 65532:65532
# Both listeners are reached from outside the container; who may reach them is for the network to say.
ENV HOST=0.0.0.0 \
    TALLY_ADMIN_LISTEN=0.0.0.0:9090 \
    LOG_FORMAT=json
EXPOSE 8080 9090
# `tally serve` drains on SIGTERM: it stops to accept, answers what it took, and ends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 CMD ["/tally", "healthcheck"]
ENTRYPOINT ["/tally"]
CMD ["serve"]
