/**
 * Builds the page at `/`: `npx vite build` writes `dist/dashboards/web`, which the api serves.
 *
 * Guarantee: the result holds no inline script or style and asks no other host, so that it runs under the strict policy
 * that it is served with. Each text file lies there compressed too.
 */
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const ROOT = import.meta.dirname;

/** Files smaller than this gain nothing from compression, bytes. */
const COMPRESS_BYTES_MIN = 1_024;

/** Writes `x.br` and `x.gz` beside each file. */
function compressed(): Plugin {
  return {
    name: 'streamgauge-compressed',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          const source = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          if (source.length < COMPRESS_BYTES_MIN) continue;
          const { fileName } = file;
          this.emitFile({
            type: 'asset',
            fileName: `${fileName}.br`,
            source: brotliCompressSync(source),
          });
          this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzipSync(source) });
        }
      },
    },
  };
}

export default defineConfig({
  root: join(ROOT, 'dashboards/web'),
  base: './',
  clearScreen: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [compressed()],
  build: {
    outDir: join(ROOT, 'dist/dashboards/web'),
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would need a looser policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // `npx vite` beside a running server: the page is rebuilt as it is written.
    proxy: { '/data': 'http://127.0.0.1:8080', '/page.json': 'http://127.0.0.1:8080' },
  },
});
