# The server as an image. Data (SQLite, artifacts, the master key) lives in the volume /data.
#   docker build -t endcap . && docker run -p 8000:8000 -v endcap-data:/data endcap

FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements/runtime.txt requirements/runtime.txt
RUN python -m venv /opt/endcap \
    && /opt/endcap/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/runtime.txt
COPY pyproject.toml LICENSE ./
COPY src src
# The lock holds the build tool too, so nothing unlocked is fetched to make the wheel.
RUN /opt/endcap/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/endcap/bin/pip install --no-cache-dir --no-deps --no-index dist/*.whl

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home endcap \
    && install -d -o endcap -g endcap -m 700 /data
COPY --from=build /opt/endcap /opt/endcap
ENV PATH=/opt/endcap/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENDCAP_DATA_DIR=/data \
    ENDCAP_HOST=0.0.0.0 \
    ENDCAP_PORT=8000
USER endcap
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"ENDCAP_PORT\"]}/healthz', timeout=2)"]
CMD ["endcap", "serve"]
