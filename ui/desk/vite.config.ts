import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const backend = 'http://127.0.0.1:7007'

export default defineConfig({
  plugins: [vue(), tailwindcss()],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_I18N_LEGACY_API__: 'false', __INTLIFY_PROD_DEVTOOLS__: 'false' },
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // Everything comes from our own origin as a file: no data: URLs to allow in the content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { host: '127.0.0.1', port: 5173, proxy: { '/api': { target: backend, ws: true }, '/widget': backend, '/form': backend, '/health': backend } },
})
