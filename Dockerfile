# The server alone, as nobody in particular.
#
#   docker build -t kizuna . && docker run -p 8080:8080 -v kizuna:/data kizuna

FROM rust:1.95-slim-bookworm AS build
# cc and cmake: for the bundled SQLite and AWS-LC
RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ make cmake libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cargo build --release --locked -p kizuna && strip -o /kizuna target/release/kizuna

FROM debian:bookworm-slim
# The user owns nothing but /data.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin kizuna \
    && install -d -o kizuna -g kizuna /data
COPY --from=build /kizuna /usr/local/bin/kizuna
USER 10001:10001
WORKDIR /
# The database is SQLite in /data, which is the default below the working directory, unless DATABASE_URL or
# KIZUNA_DATABASE_URL_FILE names another. A DATABASE_URL here would be one beside the file.
ENV KIZUNA_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["kizuna", "health"]
ENTRYPOINT ["kizuna"]
CMD ["serve"]
