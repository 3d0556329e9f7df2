# gwlint with both servers, which `gwlint fix` asks whether they accept its patch:
#   docker build -t gwlint .
#   docker run --rm -v "$PWD:/configuration" gwlint check
FROM debian:bookworm-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git haproxy nginx-light python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

COPY . /usr/src/gwlint
RUN python3 -m venv /opt/gwlint \
    && /opt/gwlint/bin/pip install --no-cache-dir /usr/src/gwlint \
    && ln -s /opt/gwlint/bin/gwlint /usr/local/bin/gwlint \
    && git config --system --add safe.directory /configuration

USER nobody
WORKDIR /configuration
ENTRYPOINT ["gwlint"]
CMD ["check"]
