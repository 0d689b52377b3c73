import { defineConfig } from "vite";
import { world } from "./plugins/world.ts";

// `npm run dev` shows the page as it is being written, with the data of a `peerwalk serve` at its
// usual port.
const server = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [world()],
  // Nothing inline: the server's Content-Security-Policy allows files of its own alone.
  build: {
    target: "es2021",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { "/api": server, "/metrics": server, "/healthz": server } },
});
