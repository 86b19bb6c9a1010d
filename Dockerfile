# One image for every role: `docker run IMAGE ingest`, `processor`, `api`, `topics`, `migrate`, `verify`, `forget`.
# Its engines are Kafka and ClickHouse. The embedded engine of the store, half a gigabyte, is left out; for the default
# role `all` run the program from a checkout.
ARG NODE_VERSION=20.20.2

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without scripts: the one that builds needs the sources, which come next so that a changed source installs nothing anew.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json vite.config.ts main.ts ./
COPY schemas ./schemas
COPY platform ./platform
COPY ingest ./ingest
COPY processors ./processors
COPY api ./api
COPY dashboards ./dashboards
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts && rm -rf node_modules/@chdb

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root: the program cannot change itself.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8080
ENTRYPOINT ["node", "--enable-source-maps", "dist/main.js"]
