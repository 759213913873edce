// lsys cache-master and lsys licenses as operators and slaves see them: what is stored, who may ask, what is told.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { KEY, Master } from './lib/cache.mjs';
import { bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, lsysOk, startLsys } from './lib/lsys.mjs';
import { until } from './lib/wait.mjs';
import { Vendor } from './lib/vendor.mjs';

const folder = temporaryFolder({ after });
let vendor;
let other;

before(async () => {
  vendor = await Vendor.create(folder);
  other = await Vendor.create(path.join(folder, 'other'));
});

const issue = (id, flags = []) => vendor.issue(`${id}.lic`, ['--license-id', id, '--valid-for', '60d', ...flags]);

describe('what is stored', () => {
  test('is what the vendor signed, from files and folders, and nothing else', async (t) => {
    const master = await Master.start(t, vendor);
    const box = path.join(temporaryFolder(t), 'box');
    mkdirSync(box);
    for (const id of ['A', 'B']) writeFileSync(path.join(box, `${id}.lic`), readFileSync(await issue(`box-${id}`)));
    assert.match(await master.licenses('add', await issue('C'), box), /added +C .*\nadded +box-A .*\nadded +box-B/);
    const edited = path.join(folder, 'edited.lic');
    const token = bareToken(await issue('D'));
    writeFileSync(edited, token.replace(/\.(.)/, (_, c) => `.${c === 'e' ? 'f' : 'e'}`));
    for (const bad of [edited, await other.issue('E.lic'), path.join(folder, 'absent.lic')]) {
      const result = await lsys(['licenses', 'add', bad, '--master', master.url], { env: { SECRET_INTERNAL_API_KEY: KEY } });
      assert.notEqual(result.code, 0, bad);
    }
    const { json } = await master.ask('/api/admin/licenses');
    assert.deepEqual(json.licenses.map((license) => license.license_id), ['C', 'box-A', 'box-B']);
  });

  test('changes, is listed and exported, and every change is in the audit log', async (t) => {
    const master = await Master.start(t, vendor);
    await master.licenses('add', await issue('X'), await issue('Y'));
    assert.match(await master.licenses('add', await issue('X', ['--edition', 'bigger'])), /replaced/);
    await master.licenses('revoke', 'Y', '--reason', 'unpaid');
    assert.match(await master.licenses('ls'), /X .*bigger[^]*Y +revoked/);
    const out = path.join(temporaryFolder(t), 'out');
    await master.licenses('export', out);
    assert.deepEqual(readdirSync(out), ['X.lic', 'Y.lic']);
    await lsysOk(['verify', path.join(out, 'X.lic'), '--keys', vendor.keys]);
    await master.licenses('rm', 'Y');
    assert.doesNotMatch(await master.licenses('ls'), /^Y/m);
    const audit = await lsysOk(['audit', '--data-dir', master.dataDir]);
    for (const action of ['license_put', 'license_revoke', 'license_delete']) assert.match(audit, new RegExp(action));
    assert.match(audit, /shared key from 127\.0\.0\.1/);
  });

  test('is never older than what was there', async (t) => {
    const master = await Master.start(t, vendor);
    const old = await issue('S', ['--serial', '5']);
    await master.licenses('add', await vendor.issue('S2.lic', ['--license-id', 'S', '--serial', '6']));
    await assert.rejects(master.licenses('add', old), /serial/);
    await master.licenses('rm', 'S');
    await assert.rejects(master.licenses('add', old), /serial/);
  });

  test('can be changed on the folder while no master runs, and survives kill -9', async (t) => {
    const dataDir = path.join(temporaryFolder(t), 'data');
    const license = await issue('F');
    await assert.rejects(lsysOk(['licenses', 'add', license, '--data-dir', dataDir]), /--keys/);
    await lsysOk(['licenses', 'add', license, '--data-dir', dataDir, '--keys', vendor.keys]);
    let master = await Master.start(t, vendor, { dataDir });
    await lsysOk(['licenses', 'add', await issue('G'), '--data-dir', dataDir], { env: { SECRET_INTERNAL_API_KEY: KEY } });
    await master.stop('SIGKILL');
    master = await Master.start(t, vendor, { dataDir });
    assert.match(await master.licenses('ls'), /F [^]*G /);
  });
});

describe('who may ask', () => {
  test('shows a good key, in either header; several are good while they are rotated', async (t) => {
    const keys = path.join(temporaryFolder(t), 'keys');
    writeFileSync(keys, 'the-old-key-0123456789\nthe-new-key-0123456789\n', { mode: 0o600 });
    const master = startLsys(t, ['cache-master', '--keys', vendor.keys, '--data-dir', path.join(temporaryFolder(t), 'm'),
      '--http', '127.0.0.1:0', '--api-key-file', keys]);
    const url = `${(await master.untilOutput(/url=(\S+)/))[1]}/api/licenses?since=0`;
    const ask = async (headers) => (await fetch(url, { headers })).status;
    assert.equal(await ask({ 'X-API-Key': 'the-old-key-0123456789' }), 200);
    assert.equal(await ask({ Authorization: 'Bearer the-new-key-0123456789' }), 200);
    for (const headers of [{}, { 'X-API-Key': '' }, { 'X-API-Key': 'the-old-key-012345678' }, { Authorization: 'Basic eDp5' }]) {
      assert.equal(await ask(headers), 401, JSON.stringify(headers));
    }
    writeFileSync(keys, 'the-new-key-0123456789\n', { mode: 0o600 });
    process.kill(master.pid, 'SIGHUP');
    await until('the old key to be refused', async () => await ask({ 'X-API-Key': 'the-old-key-0123456789' }) === 401);
  });

  test('a key is made when none is configured, for its owner only; a short one is refused', async (t) => {
    const dataDir = path.join(temporaryFolder(t), 'm');
    const master = startLsys(t, ['cache-master', '--keys', vendor.keys, '--data-dir', dataDir, '--http', '127.0.0.1:0']);
    await master.untilOutput(/url=/);
    assert.equal(statSync(path.join(dataDir, 'cache-api-key')).mode & 0o777, 0o600);
    assert.match(await lsysOk(['licenses', 'add', await issue('K'), '--data-dir', dataDir]), /added/);
    const short = await lsys(['cache-master', '--keys', vendor.keys, '--data-dir', path.join(dataDir, 'x')], { env: { SECRET_INTERNAL_API_KEY: 'short' } });
    assert.equal(short.code, 78);
  });

  test('a slave\'s own key has scopes, and belongs to one machine', async (t) => {
    const master = await Master.start(t, vendor);
    const key = (await master.licenses('key', 'add', 'site-7')).trim();
    const machine = (...names) => ({ 'X-Slave-Fingerprint': names.map((name) => Buffer.alloc(32, name).toString('base64url')).join(',') });
    const ask = (where, headers) => master.ask(where, { key, headers });
    assert.equal((await ask('/api/licenses')).status, 400);
    assert.equal((await ask('/api/licenses', machine('a', 'b', 'c'))).status, 200);
    assert.equal((await ask('/api/licenses', machine('a', 'b', 'x'))).status, 200); // a new network card
    assert.equal((await ask('/api/licenses', machine('x', 'y', 'z'))).status, 409);
    assert.equal((await ask('/api/admin/keys', machine('a', 'b', 'c'))).status, 403);
    assert.match(await lsysOk(['audit', '--data-dir', master.dataDir]), /slave_key_refused +\{"key":"site-7","requests":1\}/);
    await master.licenses('key', 'rm', 'site-7');
    assert.equal((await ask('/api/licenses', machine('a', 'b', 'c'))).status, 401);
    const bytes = readFileSync(path.join(master.dataDir, 'state.db')).toString('latin1');
    assert.ok(!bytes.includes(key), 'the key is stored in clear');
  });

  test('too often is told when to come again', async (t) => {
    const master = await Master.start(t, vendor, { flags: ['--rate-limit', '1'] });
    const answers = [];
    for (let i = 0; i < 10; i += 1) answers.push(await master.ask('/api/licenses'));
    const refused = answers.find((answer) => answer.status === 429);
    assert.ok(refused);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  });
});

describe('the feed', () => {
  test('tells what is new, a page at a time, and 304 when nothing is', async (t) => {
    const master = await Master.start(t, vendor);
    const files = [];
    for (let i = 0; i < 40; i += 1) files.push(await issue(`P${i}`));
    await master.licenses('add', ...files);
    const first = await master.ask('/api/licenses?since=0');
    assert.equal(first.json.more, true);
    const second = await master.ask(`/api/licenses?since=${first.json.through}&stream=${first.json.stream}`);
    assert.equal(second.json.more, false);
    const ids = [...first.json.changes, ...second.json.changes].map((change) => change.license_id);
    assert.equal(new Set(ids).size, 40);
    const etag = second.headers.get('etag');
    const headers = { 'If-None-Match': etag };
    assert.equal((await master.ask('/api/licenses?since=40', { headers })).status, 304);
    await master.licenses('rm', 'P3');
    const change = await master.ask(`/api/licenses?since=40&stream=${first.json.stream}`, { headers });
    assert.deepEqual(change.json.changes, [{ change: 41, license_id: 'P3', deleted: true }]);
    assert.equal((await master.ask('/api/licenses?since=41&stream=BBBBBBBBBBBBBBBBBBBBBB')).json.changes[0].change, 1);
    for (const since of ['-1', 'x', '1e3', '99999999999999999999']) {
      assert.equal((await master.ask(`/api/licenses?since=${since}`)).status, 400, since);
    }
  });

  test('rings a bell over a WebSocket, for those with a key', async (t) => {
    const master = await Master.start(t, vendor);
    const url = `${master.url.replace('http', 'ws')}/api/licenses/stream`;
    const refused = new WebSocket(url);
    await new Promise((resolve) => refused.on('unexpected-response', (request, response) => {
      assert.equal(response.statusCode, 401);
      request.destroy();
      resolve();
    }).on('error', () => {}));
    const bells = [];
    const socket = new WebSocket(url, { headers: { 'X-API-Key': KEY } });
    socket.on('message', (message) => bells.push(JSON.parse(message)));
    t.after(() => socket.terminate());
    await until('the first bell', () => bells.length === 1);
    await master.licenses('add', await issue('bell'));
    await until('the second bell', () => bells.length === 2);
    assert.equal(bells[1].sequence, 1);
    const closed = new Promise((resolve) => { socket.on('close', resolve); });
    assert.deepEqual(await master.stop(), { code: 0, signal: null });
    assert.equal(await closed, 1001);
  });
});
