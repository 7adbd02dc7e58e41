# The gateway with the demonstration model, the local assessors, PostgreSQL, OpenID Connect and traces.
# docker build -t quitbutton . && docker run -p 8808:8808 -e QUITBUTTON_API_KEYS=a-key-of-yours-0001 quitbutton
# In front of your model: docker run -p 8808:8808 -e QUITBUTTON_API_KEYS=... -e QUITBUTTON_UPSTREAM=https://api.openai.com/v1 quitbutton
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/quitbutton
COPY requirements/container.txt requirements/container.txt
RUN /opt/quitbutton/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/container.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN /opt/quitbutton/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /opt/quitbutton/bin/quitbutton setup --model smollm2 --data /opt/quitbutton \
    && /opt/quitbutton/bin/python -m compileall -q /opt/quitbutton/lib \
    && /opt/quitbutton/bin/pip uninstall -q -y hatchling editables pip

FROM python:3.13-slim
LABEL org.opencontainers.image.title="quitbutton" org.opencontainers.image.licenses="Apache-2.0"
# libgomp is what the model's runtime needs of the system.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 quitbutton \
    && useradd --system --uid 10001 --gid quitbutton --home-dir /var/lib/quitbutton --create-home quitbutton
COPY --from=build /opt/quitbutton /opt/quitbutton
ENV PATH=/opt/quitbutton/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    QUITBUTTON_HOST=0.0.0.0 \
    QUITBUTTON_PORT=8808 \
    QUITBUTTON_DATA=/var/lib/quitbutton \
    QUITBUTTON_MODEL=/opt/quitbutton/models/smollm2.gguf \
    QUITBUTTON_LOG_FORMAT=json \
    QUITBUTTON_LOG_LEVEL=info
USER 10001:10001
WORKDIR /var/lib/quitbutton
VOLUME /var/lib/quitbutton
EXPOSE 8808
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['QUITBUTTON_PORT'] + '/livez', timeout=2)"]
ENTRYPOINT ["quitbutton"]
CMD ["serve"]
