# docker build -t tabloom . && docker run -p 8787:8787 tabloom
FROM node:22-slim AS build
WORKDIR /tabloom
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:22-slim
WORKDIR /tabloom
COPY --from=build /tabloom ./
USER node
ENV NODE_ENV=production
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=3s \
  CMD node -e "fetch('http://127.0.0.1:8787/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "signaling/tabloom.mjs", "serve", "--host", "0.0.0.0", "--http"]
