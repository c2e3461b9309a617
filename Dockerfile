FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libxcb1 \
    libpangoft2-1.0-0 libharfbuzz-subset0 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt requirements-detector.txt package.json package-lock.json .npmrc .
COPY scripts/browser-packages.sh scripts/
RUN pip install --no-cache-dir -r requirements.txt && pip install --no-cache-dir --no-deps -r requirements-detector.txt && sh scripts/browser-packages.sh python
COPY . .
ENV FERSCOPE_HOME=/data
VOLUME /data
EXPOSE 8501
# Every address of a container can be reached from outside it, so the app asks for a token: the log has the link with it,
# and FERSCOPE_TOKEN sets one that stays.
CMD ["python", "-m", "fer_ui.serve", "--server.port=8501", "--server.address=0.0.0.0"]
