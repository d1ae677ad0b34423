/**
 * A room id the server takes (1 to 64 letters, digits and `. _ ~ -`, the first one a letter or a
 * digit), made from what somebody typed.
 * @param {string} text
 * @returns {string} Empty when nothing usable is left.
 */
export function toRoomId(text) {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .trim()
    .replace(/[^A-Za-z0-9._~-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, 64);
}
