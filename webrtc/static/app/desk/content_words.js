/** What the server takes somebody's sound for, how sure it is, and what their strip makes of it. */

/**
 * @typedef {import('../../client/roster.js').Participant} Participant
 * @typedef {import('../../client/roster.js').Genre} Genre
 */

/** What is told where nothing is recognised. */
const NO_GENRES = ['unknown', 'silence'];

/** Of settings, by how their names begin. @type {readonly (readonly [string, string])[]} */
const PARTS = [
  ['denoise', 'noise suppression'],
  ['highPass', 'low cut'],
  ['gate', 'gate'],
  ['comp', 'compressor'],
  ['autoMakeup', 'compressor'],
  ['makeup', 'compressor'],
  ['sidechain', 'compressor'],
  ['eq', 'equaliser'],
  ['limiter', 'limiter'],
  ['stereoWidth', 'width'],
  ['chorus', 'chorus'],
  ['delay', 'delay'],
  ['reverb', 'reverb'],
];

/** For a tag: class and confidence; empty where nothing is recognised. @param {Genre | null} genre */
export function genreWords(genre) {
  if (!isKnown(genre)) return '';
  return `${capital(genre.label)} ${percent(genre.confidence)}`;
}

/**
 * What is heard, what the strip makes of it and why, and what changed with that; empty for strips
 * that have no profile.
 * @param {Pick<Participant, 'genre' | 'settings' | 'profileChange'>} person
 */
export function profileWords({ genre, settings, profileChange }) {
  const profile = String(settings?.profile ?? 'none');
  if (profile === 'none') return '';
  const byHand = settings?.genre !== 'auto';
  const heard = isKnown(genre)
    ? `Sounds like ${genre.label}, ${percent(genre.confidence)} sure.`
    : 'Nothing is recognised at the moment.';
  const isLatest = profileChange?.to === profile;
  return [heard, why(profile, byHand, genre), isLatest ? what(profileChange.settings) : '']
    .filter((sentence) => sentence !== '')
    .join(' ');
}

/** @param {string} profile @param {boolean} byHand @param {Genre | null} genre */
function why(profile, byHand, genre) {
  if (byHand) return `The profile ${capital(profile)} was chosen by hand and stays.`;
  if (profile === 'neutral') return 'No profile yet: that takes firm evidence.';
  if (genre?.label === profile) return `So the strip follows with the profile ${capital(profile)}.`;
  return `The profile ${capital(profile)} stays until something else is firm and it is quiet.`;
}

/** @param {readonly string[]} settings */
function what(settings) {
  const parts = PARTS.filter(([start]) => settings.some((name) => name.startsWith(start)));
  const words = [...new Set(parts.map(([, word]) => word))];
  return words.length === 0 ? '' : `It changed ${words.join(', ')}.`;
}

/** @param {Genre | null} genre @returns {genre is Genre} */
const isKnown = (genre) => genre !== null && !NO_GENRES.includes(genre.label);

/** @param {number} share */
const percent = (share) => `${Math.round(share * 100)} %`;

/** @param {string} word */
const capital = (word) => word.charAt(0).toLocaleUpperCase() + word.slice(1);
