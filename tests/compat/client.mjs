// A shop's Node client, as small as they come: fetch and crypto.
//
// Talks to ENDCAP_URL as ENDCAP_TRACKER with ENDCAP_KEY, says what it did, and stops with status 1 at the first answer
// that is not what the documentation promises.

import { deepStrictEqual } from 'node:assert';
import { createHmac } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';

const { ENDCAP_URL: server, ENDCAP_TRACKER: tracker, ENDCAP_KEY: privateKey } = process.env;
const base = `/v1/recommender/pin/${tracker}`;
const jsonType = 'application/json; charset=utf-8';
const model = 'compat-node';

const httpDate = (zone = 'GMT', at = new Date()) => at.toUTCString().replace('GMT', zone);

// The headers of a request. `type` null sends no Content-Type and signs the empty text in its place.
function signed(method, path, { type = jsonType, date = httpDate(), word = 'ApiAuth', key = privateKey } = {}) {
  const text = [method, type ?? '', date, path].join('\n');
  const signature = createHmac('sha256', key).update(text).digest('base64');
  const headers = { Date: date, Authorization: `${word} ${tracker}:${signature}` };
  return type === null ? headers : { ...headers, 'Content-Type': type };
}

// A text body would get a Content-Type of fetch's own, bytes get none; so bytes it is.
async function transmit(method, path, headers, { body, query = '' } = {}) {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const response = await fetch(server + path + query, { method, headers, body: bytes });
  return { status: response.status, text: await response.text() };
}

const call = (method, path, { extra = {}, ...how } = {}) =>
  transmit(method, path, { ...signed(method, path, how), ...extra }, how);

function expect(what, answer, status) {
  if (answer.status !== status) {
    throw new Error(`${what}: expected ${status}, got ${answer.status}: ${answer.text}`);
  }
  console.log(`ok ${what}: ${answer.status}`);
  return answer.text === '' ? null : JSON.parse(answer.text);
}

const check = (what, wanted, got) => deepStrictEqual(got, wanted, `${what}: ${JSON.stringify(got)}`);

const definition = (position) => ({
  model,
  target_type: 'item',
  target_identity: '/p/123',
  tags: ['node & co'],
  pin_definitions: [
    { position, pin_type: 'item', pin_identity: '/p/555', active_from: '2025-02-01T00:00:00Z' },
  ],
});
const defined = (position) => JSON.stringify(definition(position));

async function lifeBegins() {
  const made = expect('create', await call('POST', `${base}/scope`, { body: defined(1) }), 201);
  const one = `${base}/scope/${made.id}`;
  const got = expect('get', await call('GET', one), 200);
  check('created as answered', made.id, got.id);
  check('target', '/p/123', got.target_identity);
  check('pins as sent', definition(1).pin_definitions, got.pin_definitions);
  check('update answers nothing', null, expect('update', await call('PUT', one, { body: defined(2) }), 204));
  check('updated', 2, expect('get again', await call('GET', one), 200).pin_definitions[0].position);
  return { id: made.id, one };
}

// With filters that are not signed, in both spellings of a repeated key, and without any body.
async function lists(id) {
  const query = `?model=${model}&model=none&limit=10&offset=0&sort=created_at:desc`;
  const listed = expect('list', await call('POST', `${base}/scopes`, { body: '{}', query }), 200);
  check('total', 1, listed.pagination.total);
  check('listed', id, listed.results[0].id);
  const brackets = `?${new URLSearchParams([['model[]', model], ['tag[]', 'node & co'], ['tag[]', 'none']])}`;
  const tagged = await call('POST', `${base}/scopes`, { body: '{}', query: brackets });
  check('total with tag[]', 1, expect('list with tag[]', tagged, 200).pagination.total);
  const bare = await call('POST', `${base}/scopes`, { query }); // fetch sends Content-Length: 0
  check('total without a body', 1, expect('list without a body', bare, 200).pagination.total);
}

async function oddHeaders(one) {
  for (const word of ['guzzle', 'faraday', 'curl', 'Hello', 'ApiAuth']) {
    expect(`first word ${word}`, await call('GET', one, { word }), 200);
  }
  for (const zone of ['GMT', 'UTC', 'Z', '+0000', '+00:00', 'GMT+0000']) {
    expect(`date in ${zone}`, await call('GET', one, { date: httpDate(zone) }), 200);
  }
  const type = 'application/json';
  expect('Content-Type without charset', await call('PUT', one, { type, body: defined(3) }), 204);
  expect('no Content-Type', await call('GET', one, { type: null }), 200);
  expect('no Content-Type with a body', await call('PUT', one, { type: null, body: defined(3) }), 204);
  const headers = signed('PUT', one);
  for (const time of [1, 2, 3]) {
    const answer = await transmit('PUT', one, headers, { body: defined(4) });
    expect(`same signed request, time ${time}`, answer, 204);
  }
}

async function compressedUploads() {
  const objects = [1, 2].map((n) => ({ identity: `/node/${n}`, type: 'item', fields: { title: `Žluťák ${n}` } }));
  const upload = JSON.stringify({ objects });
  for (const [encoding, body] of [['gzip', gzipSync(upload)], ['deflate', deflateSync(upload)]]) {
    const stored = await call('POST', '/v1/content', { body, extra: { 'Content-Encoding': encoding } });
    check('stored', { ok_count: 2, errors_count: 0, errors: {} }, expect(`${encoding} upload`, stored, 200));
  }
  const names = JSON.stringify({ objects: objects.map(({ identity, type }) => ({ identity, type })) });
  const removed = await call('DELETE', '/v1/content', { body: names });
  check('removed', 2, expect('remove objects', removed, 200).ok_count);
}

async function refusals(one) {
  const refused = expect('wrong key', await call('GET', one, { key: 'wrong' }), 401);
  check('a reason and details', ['exception_details', 'reason'], Object.keys(refused).sort());
  const stale = httpDate('GMT', new Date(Date.now() - 3600e3));
  expect('stale date', await call('GET', one, { date: stale }), 401);
  const pin = { pin_type: 'item', pin_identity: '/p/5' };
  const faulty = JSON.stringify({ model, target_type: 'shelf', pin_definitions: [pin] });
  const faults = expect('faulty fields', await call('PUT', one, { body: faulty }), 422);
  check('reason', 'Invalid pin definition provided', faults.reason);
  check('target_type', ['Must be one of: item, criteria, all'], faults.exception_details.target_type);
  const [pinFault] = faults.exception_details.pin_definitions;
  check('pin', true, pinFault.startsWith('Missing required field: position'));
  expect('not JSON', await call('PUT', one, { body: '{' }), 400);
}

async function lifeEnds(one) {
  check('delete answers nothing', null, expect('delete', await call('DELETE', one), 204));
  const gone = { reason: 'Customization not found', exception_details: {} };
  check('gone', gone, expect('get after delete', await call('GET', one), 404));
  expect('delete again', await call('DELETE', one), 404);
}

try {
  const { id, one } = await lifeBegins();
  await lists(id);
  await oddHeaders(one);
  await compressedUploads();
  await refusals(one);
  await lifeEnds(one);
  console.log('done');
} catch (error) {
  console.error(`FAILED ${error.cause ?? error.message}`);
  process.exitCode = 1;
}
