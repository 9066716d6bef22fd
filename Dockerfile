# The exporter's image: the Debian package on Debian's small base. `docker build -t sched_exporter .`
# docs/operations.md says how to run it.
ARG BUILD_BASE=docker.io/library/debian:12
ARG RUNTIME_BASE=docker.io/library/debian:12-slim

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY deploy/packages.sh deploy/
RUN bash -euc 'source deploy/packages.sh; install_missing "${build_packages[@]}" "${package_packages[@]}"'
COPY . .
RUN bash -euc 'source deploy/packages.sh; use_ccache; \
    cmake --preset release -DSCHED_EXPORTER_TESTS=OFF; \
    cmake --build --preset release; \
    cd build/release; cpack -G DEB; mv ./*.deb /sched-exporter.deb'

FROM ${RUNTIME_BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sched_exporter" \
      org.opencontainers.image.description="Prometheus exporter for the CPU time, execs and exits of processes, by BPF" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /sched-exporter.deb /tmp/
# A user other than root gets these capabilities by the file, as far as the container is allowed them.
# Without the effective bit: then it starts without them, too, and can say what is missing.
RUN apt-get -q update \
 && apt-get -q -y install --no-install-recommends /tmp/sched-exporter.deb libcap2-bin \
 && setcap cap_bpf,cap_perfmon,cap_sys_ptrace=p /usr/bin/sched_exporter \
 && apt-get -q -y purge --auto-remove libcap2-bin \
 && rm -rf /tmp/* /var/lib/apt/lists/* /var/cache/* /var/log/*
USER 65532:65532
EXPOSE 10140
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["/usr/bin/sched_exporter", "health"]
ENTRYPOINT ["/usr/bin/sched_exporter"]
