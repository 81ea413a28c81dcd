# Serves the starter shelf on port 8000, without torch; for amd64 and arm64:
#   docker build --tag footnote . && docker run --publish 8000:8000 footnote
# Other reports: mount them, index them, and restart nothing:
#   docker run --publish 8000:8000 --volume ~/reports:/reports:ro --name footnote footnote
#   docker exec footnote footnote index /reports
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
WORKDIR /app
RUN python -m venv venv
COPY requirements/serve.lock requirements/serve.lock
RUN venv/bin/python -m pip install --no-cache-dir --no-deps --require-hashes \
    -r requirements/serve.lock
COPY pyproject.toml README.md ./
COPY corpus corpus
COPY indexer indexer
COPY service service
COPY eval eval
COPY footnote footnote
RUN venv/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation . \
    && venv/bin/footnote index corpus/reports

FROM python:${PYTHON}-slim
ENV PATH="/app/venv/bin:$PATH" HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --user-group --home-dir /app --no-create-home footnote
WORKDIR /app
COPY --from=build /app/venv venv
COPY --from=build /app/corpus/reports corpus/reports
# Its own: an index run writes here.
COPY --from=build --chown=10001:10001 /app/index index
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["footnote", "serve", "--host", "0.0.0.0", "--port", "8000"]
