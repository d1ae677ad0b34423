import assert from 'node:assert/strict';
import test from 'node:test';

import { takeEntryToken } from '../../webrtc/static/app/entry_token.js';

/**
 * @param {string} href
 * @returns {any}
 */
function aPage(href) {
  const kept = new Map();
  const page = {
    location: new URL(href),
    history: {
      /** @param {any} _state @param {any} _title @param {string} to */
      replaceState: (_state, _title, to) => {
        page.location = new URL(to);
      },
    },
    storage: () => ({
      getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ text) => kept.set(key, text),
    }),
  };
  return page;
}

test('a token is taken out of the address, and nothing else is', () => {
  for (const [href, left] of /** @type {[string, string][]} */ ([
    ['https://a.example/?room=studio#token=a.b.c', 'https://a.example/?room=studio'],
    ['https://a.example/#studio&token=a.b.c', 'https://a.example/#studio'],
    ['https://a.example/#token=a.b.c&room=studio', 'https://a.example/#room=studio'],
  ])) {
    const page = aPage(href);
    assert.equal(takeEntryToken(page), 'a.b.c');
    assert.equal(page.location.href, left);
  }
});

test('a reload finds the token again, another link brings another', () => {
  const page = aPage('https://a.example/#token=one');
  takeEntryToken(page);
  assert.equal(takeEntryToken(page), 'one');
  page.location = new URL('https://a.example/#token=two');
  assert.equal(takeEntryToken(page), 'two');
  assert.equal(takeEntryToken(page), 'two');
});

test('an address without a token stays as it is', () => {
  for (const href of ['https://a.example/#studio', 'https://a.example/?token=in-the-query']) {
    const page = aPage(href);
    assert.equal(takeEntryToken(page), undefined);
    assert.equal(page.location.href, href);
  }
});

test('forbidden storage is no trouble', () => {
  const page = { ...aPage('https://a.example/#token=one'), storage: () => { throw new Error('no'); } };
  assert.equal(takeEntryToken(page), 'one');
  assert.equal(takeEntryToken({ ...page, location: new URL('https://a.example/') }), undefined);
});
