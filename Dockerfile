# Towpath in a container: `docker build -t towpath .`, then `docker run -p 8470:8470 -v towpath:/var/lib/towpath towpath`, or compose.yaml.

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN SQLX_OFFLINE=true cargo build --profile dist --locked -p towpath-server && install -m 755 target/dist/towpath /towpath

FROM debian:bookworm-slim
# PostgreSQL's programs for the embedded database; Debian's own cluster is not wanted.
RUN mkdir -p /etc/postgresql-common/createcluster.d && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/towpath.conf && apt-get update && apt-get install -y --no-install-recommends ca-certificates postgresql tini && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 8470 --user-group --home-dir /var/lib/towpath --shell /usr/sbin/nologin towpath && install -d -o towpath -g towpath -m 700 /var/lib/towpath
COPY --from=build /towpath /usr/local/bin/towpath
ENV TOWPATH_DATA=/var/lib/towpath
USER towpath
VOLUME /var/lib/towpath
EXPOSE 8470
# Towpath drains for up to 25 seconds, then stops its database.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/local/bin/towpath", "healthcheck"]
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/towpath"]
CMD ["serve"]
