/**
 * Resolves what the server serves at `/vendor/` to the npm packages (a loader for `node:module`).
 */

const LIBOPUS = new URL(
  '../../../node_modules/libopus-wasm/dist/generated/libopus.generated.mjs',
  import.meta.url,
);

/**
 * @param {string} specifier
 * @param {object} context
 * @param {(specifier: string, context: object) => object} next
 */
export function resolve(specifier, context, next) {
  return next(specifier.endsWith('/vendor/libopus.js') ? LIBOPUS.href : specifier, context);
}
