# One image with all programs: sheaf, sheaf-producer, sheaf-coordinator, sheaf-worker, sheaf-simulator.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY tools/setup tools/setup
RUN tools/setup --build
COPY . .
RUN cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
    && cmake --build /build \
    && cmake --install /build --prefix /out --strip

FROM debian:bookworm-slim
# redis-server: the private one of "sheaf run".
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates redis-server \
        libcurl4 libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7 libhiredis0.14 \
        libjson-c5 libmicrohttpd12 libmsgpackc2 libssl3 libxxhash0 libyaml-0-2 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 sheaf \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin sheaf \
    && install -d -o sheaf -g sheaf /data
COPY --from=build /out/bin/ /usr/local/bin/
# No library is forgotten above.
RUN for program in /usr/local/bin/sheaf*; do "$program" --help >/dev/null || exit 1; done
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["sheaf"]
CMD ["--help"]
